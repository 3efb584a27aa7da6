/** One colour for one thing, in its tile and in its chart. */
export const colors = {
  connections: "#12a594",
  received: "#228be6",
  sent: "#ae3ec9",
  dropped: "#fd7e14",
  subscriptions: "#1098ad",
  topics: "#4c6ef5",
  sessions: "#868e96",
};

/** Whether a publication on `topic` matches a subscription (MQTT 5.0, 4.7); of a shared one, its filter. */
export function reachesOne(subscription: string, topic: string): boolean {
  const filter = subscription.startsWith("$share/")
    ? subscription.split("/").slice(2).join("/")
    : subscription.replace(/^\$(queue|exclusive)\//, "");
  if (topic.startsWith("$") && /^[+#]/.test(filter)) return false; // [MQTT-4.7.2-1]
  const levels = topic.split("/");
  const wanted = filter.split("/");
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] === "#") return true;
    if (i >= levels.length || (wanted[i] !== "+" && wanted[i] !== levels[i])) return false;
  }
  return wanted.length === levels.length;
}

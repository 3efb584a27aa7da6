import type { Sample } from "../../api/types";

export type Rates = Record<"received" | "sent" | "dropped", (number | null)[]>;

/**
 * A sample counts the messages of the interval that ends with it. The steps differ with the age of the samples, so each
 * rate is over its own step; the first has none before it and borrows the second's.
 */
export function ratesOf(samples: Sample[]): Rates {
  const out: Rates = { received: [], sent: [], dropped: [] };
  samples.forEach((sample, i) => {
    const [from, to] = i > 0 ? [samples[i - 1], sample] : [sample, samples[1]];
    const seconds = from && to ? (to.time_stamp - from.time_stamp) / 1000 : 0;
    for (const key of ["received", "sent", "dropped"] as const) {
      out[key].push(seconds > 0 ? sample[key] / seconds : null);
    }
  });
  return out;
}

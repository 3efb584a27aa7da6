import { useQuery, type QueryKey } from "@tanstack/react-query";

import { read, write, type Stored } from "../api/stored";

/** What is stored, and what an editor needs to change it. */
export function useStored<T>(queryKey: QueryKey, stored: Stored<T>) {
  const query = useQuery({ queryKey, queryFn: () => read(stored) });
  return {
    query,
    save: (value: T, base: T) => write(stored, value, base),
    renew: async () => {
      const answer = await query.refetch();
      return answer.isSuccess ? answer.data : undefined;
    },
  };
}

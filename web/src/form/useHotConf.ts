import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";

import { api, take } from "../api/client";
import { loadFieldTexts } from "../i18n/fieldTexts";
import { useSettings } from "../state/settings";
import type { HotConf } from "./schema";

/** The schema does not change while the server runs. */
export function useHotConf() {
  const { language } = useSettings();
  // For those who change the language while a form is shown.
  useEffect(() => void loadFieldTexts(language), [language]);
  return useQuery({
    queryKey: ["schemas", "hotconf"],
    queryFn: async () => {
      const asked = take<HotConf>(api.GET("/api/v5/schemas/{name}", { params: { path: { name: "hotconf" } } }));
      // Side by side, so that no form shows in English first.
      const [schema] = await Promise.all([asked, loadFieldTexts(language)]);
      return schema;
    },
    staleTime: Infinity,
  });
}

import { Alert, Anchor, Code } from "@mantine/core";
import { IconLicense } from "@tabler/icons-react";
import { Trans } from "react-i18next";
import { Link } from "react-router-dom";

import { useLicense } from "../api/live";

/** One line on every page while the trial limits the node: what it limits and how to lift it. */
export function LicenseLine() {
  const license = useLicense();
  if (!license || license.type !== "trial") return null;
  return (
    <Alert color="yellow" variant="light" py={6} mb="md" icon={<IconLicense size={18} />}>
      <Trans
        i18nKey="license.trialLine"
        values={{ count: license.max_connections }}
        components={{ page: <Anchor component={Link} to="/license" inherit />, key: <Code /> }}
      />
    </Alert>
  );
}

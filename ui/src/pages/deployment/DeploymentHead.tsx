import type { ReactNode } from 'react';
import { useDaemons, useLocations } from '../../api/queries';
import { useLimitsInForce } from '../../api/queueQueries';
import { PageHead } from '../../components/PageHead';
import { PageTabs } from '../../components/PageTabs';

/** Head of the pages about what Runyard itself runs on. */
export function DeploymentHead({ name, aside }: { name: string; aside?: ReactNode }) {
  const tabs = [
    { to: '/deployment/locations', label: 'Code locations', count: useLocations().data?.length },
    { to: '/deployment/daemons', label: 'Daemons', count: useDaemons().data?.length },
    { to: '/deployment/concurrency', label: 'Concurrency', count: useLimitsInForce().data?.length },
    { to: '/deployment/configuration', label: 'Configuration' },
  ];
  return <PageHead title="Deployment" name={name} tabs={<PageTabs tabs={tabs} />} aside={aside} />;
}

import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { lazy } from 'react';
import { BrowserRouter, Navigate, Route, Routes } from 'react-router';
import { queryClient } from '../api/queryClient';
import { AutomationPage } from '../pages/automation/AutomationPage';
import { ConfigurationPage } from '../pages/deployment/ConfigurationPage';
import { DaemonsPage } from '../pages/deployment/DaemonsPage';
import { LocationsPage } from '../pages/deployment/LocationsPage';
import { JobPage } from '../pages/jobs/JobPage';
import { JobsPage } from '../pages/jobs/JobsPage';
import { NotFoundPage } from '../pages/NotFoundPage';
import { QueuePage } from '../pages/queue/QueuePage';
import { RunPage } from '../pages/run/RunPage';
import { RunsPage } from '../pages/runs/RunsPage';
import { Shell } from '../shell/Shell';
import { resolver, theme } from './theme';

// CodeMirror and the YAML parser come with it.
const LaunchpadPage = lazy(() => import('../pages/launchpad/LaunchpadPage'));
const ConcurrencyPage = lazy(() => import('../pages/deployment/concurrency/ConcurrencyPage'));
const WhatIfPage = lazy(() => import('../pages/queue/whatif/WhatIfPage'));

export function App() {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={resolver} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <BrowserRouter>
          <Routes>
            <Route element={<Shell />}>
              <Route index element={<Navigate to="/runs" replace />} />
              <Route path="runs" element={<RunsPage />} />
              <Route path="runs/:runId" element={<RunPage />} />
              <Route path="queue" element={<QueuePage />} />
              <Route path="queue/what-if" element={<WhatIfPage />} />
              <Route path="jobs" element={<JobsPage />} />
              <Route path="jobs/:location/:job" element={<JobPage />} />
              <Route path="jobs/:location/:job/launchpad" element={<LaunchpadPage />} />
              <Route path="automation" element={<AutomationPage />} />
              <Route path="deployment" element={<Navigate to="/deployment/daemons" replace />} />
              <Route path="deployment/daemons" element={<DaemonsPage />} />
              <Route path="deployment/locations" element={<LocationsPage />} />
              <Route path="deployment/concurrency" element={<ConcurrencyPage />} />
              <Route path="deployment/configuration" element={<ConfigurationPage />} />
              <Route path="*" element={<NotFoundPage />} />
            </Route>
          </Routes>
        </BrowserRouter>
      </QueryClientProvider>
    </MantineProvider>
  );
}

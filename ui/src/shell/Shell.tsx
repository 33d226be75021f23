import { useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { Fragment, Suspense, useRef, useState } from 'react';
import { Outlet } from 'react-router';
import { useInstance } from '../api/queries';
import { Notice } from '../components/Notice';
import { useGlobalKeys } from '../keys/useGlobalKeys';
import { useNarrow } from '../lib/useNarrow';
import { processName } from '../lib/words';
import { BottomBar } from './BottomBar';
import { KeysDialog } from './KeysDialog';
import { StatusBar } from './StatusBar';
import { TopBar } from './TopBar';
import classes from './Shell.module.css';

export function Shell() {
  const search = useRef<HTMLInputElement>(null);
  const [help, setHelp] = useState(false);
  const dark = useComputedColorScheme('light') === 'dark';
  const { setColorScheme } = useMantineColorScheme();
  const toggleScheme = () => setColorScheme(dark ? 'light' : 'dark');
  const narrow = useNarrow();
  useGlobalKeys({ search: () => search.current?.focus(), help: () => setHelp(true), toggleScheme });
  return (
    <div className={classes.shell}>
      <TopBar dark={dark} onToggleScheme={toggleScheme} searchRef={search} />
      <WorkspaceProblem />
      <SettingsNotInForce />
      <main className={classes.main}>
        <Suspense fallback={null}>
          <Outlet />
        </Suspense>
      </main>
      {narrow ? <BottomBar /> : <StatusBar onHelp={() => setHelp(true)} />}
      <KeysDialog opened={help} onClose={() => setHelp(false)} />
    </div>
  );
}

/** An instance file that processes cannot use, or that they use only once they are started again. */
function SettingsNotInForce() {
  const processes = useInstance().data?.processes ?? [];
  return (
    <>
      {processes.map((process) => (
        <Fragment key={process.process_id}>
          {process.problem && (
            <Notice tone="fail">
              Instance file: {process.problem} {processName(process)} keeps the settings of before.
            </Notice>
          )}
          {process.restart.length > 0 && (
            <Notice tone="wait">
              Start {processName(process)} again: it does not use the new{' '}
              <span className="mono">{process.restart.join(', ')}</span> yet.
            </Notice>
          )}
        </Fragment>
      ))}
    </>
  );
}

/** A workspace file that cannot be read concerns every page: the last good one is in force meanwhile. */
function WorkspaceProblem() {
  const problem = useInstance().data?.workspace_problem;
  return problem ? <Notice tone="fail">Workspace file: {problem} The last good one stays in force.</Notice> : null;
}

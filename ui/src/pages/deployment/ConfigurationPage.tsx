import { useInstance } from '../../api/queries';
import type { Instance } from '../../api/types';
import { EmptyState } from '../../components/EmptyState';
import { Loaded } from '../../components/Loaded';
import { Notice } from '../../components/Notice';
import { fullTime, millis } from '../../lib/time';
import { processName } from '../../lib/words';
import { DeploymentHead } from './DeploymentHead';
import classes from './Configuration.module.css';

export function ConfigurationPage() {
  return (
    <>
      <DeploymentHead name="Configuration" />
      <Loaded query={useInstance()}>{(instance) => <Configuration instance={instance} />}</Loaded>
    </>
  );
}

function Configuration({ instance }: { instance: Instance }) {
  return (
    <>
      {instance.notices.map((notice) => (
        <Notice key={notice} tone="wait">
          {notice}
        </Notice>
      ))}
      <dl className={classes.facts}>
        <dt>Home</dt>
        <dd className="mono">{instance.home}</dd>
        <dt>Storage</dt>
        <dd>{instance.storage.kind}</dd>
        <dt>Instance file</dt>
        <dd className="mono">{instance.configuration_file ?? 'none, everything is at its default'}</dd>
        <dt>Served by</dt>
        <dd>
          {instance.processes.map((process) => (
            <div key={process.process_id}>
              {processName(process)}, since {fullTime(millis(process.started_at) ?? 0)}
              {process.address && (
                <>
                  , at <span className="mono">{process.address}</span>
                </>
              )}
            </div>
          ))}
        </dd>
      </dl>
      {instance.configuration_text ? (
        <>
          <p className={`dim ${classes.note}`}>Values that may be secrets are masked, and comments are not shown.</p>
          <Lines text={instance.configuration_text} />
        </>
      ) : (
        <EmptyState title="No instance file">
          Everything is at its default. A file named runyard.yaml in <span className="mono">{instance.home}</span> changes that at once.
        </EmptyState>
      )}
    </>
  );
}

function Lines({ text }: { text: string }) {
  return (
    <ol className={classes.lines} aria-label="Instance file">
      {text
        .trimEnd()
        .split('\n')
        .map((line, index) => (
          <li key={index} id={`line-${index + 1}`}>
            <span aria-hidden="true">{index + 1}</span>
            <code className={/^\s*#/.test(line) ? 'dim' : ''}>{line}</code>
          </li>
        ))}
    </ol>
  );
}

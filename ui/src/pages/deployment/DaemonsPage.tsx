import { useDaemons } from '../../api/queries';
import type { Daemon } from '../../api/types';
import { Glyph } from '../../components/Glyph';
import { Loaded } from '../../components/Loaded';
import { useNarrow } from '../../lib/useNarrow';
import { DaemonsList } from './DaemonsList';
import { DaemonsTable } from './DaemonsTable';
import { inOrder, summary } from './daemonWords';
import { DeploymentHead } from './DeploymentHead';
import { ProcessesTable } from './ProcessesTable';

export function DaemonsPage() {
  const query = useDaemons();
  const narrow = useNarrow();
  return (
    <>
      <DeploymentHead name="Daemons" aside={query.data && <Summary daemons={query.data} />} />
      <Loaded query={query}>
        {(daemons) =>
          narrow ? (
            <DaemonsList daemons={inOrder(daemons)} />
          ) : (
            <div>
              <DaemonsTable daemons={inOrder(daemons)} />
              <ProcessesTable daemons={daemons} />
            </div>
          )
        }
      </Loaded>
    </>
  );
}

function Summary({ daemons }: { daemons: Daemon[] }) {
  const { mending, late, working, off } = summary(daemons);
  return (
    <>
      {mending > 0 && (
        <span className="fail strong">
          <Glyph name="cross" /> {mending} {mending === 1 ? 'needs' : 'need'} mending
        </span>
      )}
      {late > 0 && (
        <span className="wait strong">
          <Glyph name="late" /> {late} late
        </span>
      )}
      <span>
        {working} {working === 1 ? 'works' : 'work'}
        {off > 0 && `, ${off} ${off === 1 ? 'is' : 'are'} off`}
      </span>
    </>
  );
}

import { useMutation } from '@tanstack/react-query';
import { useMemo } from 'react';
import { Link, useSearchParams } from 'react-router';
import { messageOf, post } from '../../../api/client';
import { useLimitsInForce } from '../../../api/queueQueries';
import type { WhatIf, WhatIfQuestion } from '../../../api/simulateTypes';
import { Loaded } from '../../../components/Loaded';
import { Notice } from '../../../components/Notice';
import { PageHead } from '../../../components/PageHead';
import { idOfRule } from './limitsSection';
import { WhatIfForm } from './WhatIfForm';
import { WhatIfResult } from './WhatIfResult';
import classes from './WhatIf.module.css';

/** The code that admits runs, on a virtual clock over what happened, under other limits. */
export default function WhatIfPage() {
  const limits = useLimitsInForce();
  const ask = useMutation<WhatIf, Error, WhatIfQuestion>({ mutationFn: (question) => post('/queue/simulate', question) });
  const [search] = useSearchParams();
  const rule = search.get('rule');
  const wanted = Number(search.get('limit'));
  const given = useMemo(() => {
    const id = rule && limits.data ? idOfRule(rule, limits.data) : null;
    return new Map(id ? [[id, wanted]] : []);
  }, [rule, wanted, limits.data]);
  const title = (
    <>
      <Link to="/queue" className="dim-2">
        Queue /
      </Link>{' '}
      What if
    </>
  );
  return (
    <>
      <PageHead title={title} name="What if">
        Plays recorded runs again under other limits. Nothing is changed by it.
      </PageHead>
      <Loaded query={limits}>
        {(inForce) => (
          <div className={classes.columns}>
            <aside className={classes.side}>
              <WhatIfForm limits={inForce} given={given} busy={ask.isPending} onAsk={ask.mutate} />
            </aside>
            <div className={classes.main}>
              {ask.isError && <Notice tone="fail">{messageOf(ask.error)}</Notice>}
              {ask.data ? <WhatIfResult found={ask.data} /> : <Explanation />}
            </div>
          </div>
        )}
      </Loaded>
    </>
  );
}

function Explanation() {
  return (
    <div className={classes.explanation}>
      <p>
        Change a limit and simulate: waiting times by priority and tag, before and after, how many runs wait and run over time, and who
        starves.
      </p>
      <p className="dim-2">
        Launch rates, fair shares, overlap policies and made-up loads: <span className="mono">runyard queue simulate --limits FILE --load FILE</span>.
      </p>
    </div>
  );
}

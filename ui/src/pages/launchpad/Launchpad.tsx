import { Button } from '@mantine/core';
import { IconTag } from '@tabler/icons-react';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useLaunch } from '../../api/actions';
import { messageOf } from '../../api/client';
import { useInstance } from '../../api/queries';
import type { Job, Run } from '../../api/types';
import { Notice } from '../../components/Notice';
import { TagChip } from '../../components/TagChip';
import { usePageKeys } from '../../keys/usePageKeys';
import { useNarrow } from '../../lib/useNarrow';
import { shortId } from '../../lib/words';
import { FieldsAtCursor } from './FieldsAtCursor';
import { LaunchBar } from './LaunchBar';
import { fieldsOf, schemaAt } from './schema';
import { TagsDialog } from './TagsDialog';
import { toYaml, useDraft } from './useDraft';
import { useProblems } from './useProblems';
import { WhatWillHappen } from './WhatWillHappen';
import { YamlEditor } from './YamlEditor';
import { withPaths } from './yamlPlaces';
import classes from './Launchpad.module.css';

export function Launchpad({ job, from }: { job: Job; from: Run | null }) {
  const [draft, setDraft] = useDraft(job, from);
  const [path, setPath] = useState<string[]>([]);
  const [tagsOpen, setTagsOpen] = useState(false);
  const tags = { ...job.tags, ...draft.tags };
  const found = useProblems(job.location, job.name, draft.text, tags);
  const launch = useLaunch();
  const navigate = useNavigate();
  const readOnly = useInstance().data?.read_only ?? false;
  const narrow = useNarrow();
  const blocked = found.problems.length > 0 || found.tagIssues.length > 0;

  const start = async () => {
    if (blocked || readOnly || launch.isPending || found.config === null) return;
    const request = { job_name: job.name, location: job.location, run_config: found.config, tags: draft.tags };
    launch.mutate(request, { onSuccess: (run) => void navigate(`/runs/${run.run_id}`) });
  };
  usePageKeys([
    { on: [], show: ['Ctrl', 'Space'], label: 'complete', act: () => undefined },
    { on: [], show: ['F8'], label: 'next problem', act: () => undefined },
    { on: [], show: ['Alt', 'T'], label: 'tags', act: () => undefined },
    { on: [], show: ['Ctrl', 'Enter'], label: 'launch', act: () => undefined },
  ]);
  return (
    <>
      <div className={classes.bar}>
        {from && <span className="dim-2">from run {shortId(from.run_id)}</span>}
        <span className={classes.tags}>
          {Object.entries(tags).map(([key, value]) => (
            <TagChip key={key} name={key} value={value} strong />
          ))}
        </span>
        <Button leftSection={<IconTag size={14} stroke={1.7} />} onClick={() => setTagsOpen(true)}>
          Edit tags
        </Button>
      </div>
      <div className={classes.columns}>
        <div className={classes.editor}>
          <YamlEditor
            text={draft.text}
            problems={found.problems}
            onChange={(text) => setDraft((now) => ({ ...now, text }))}
            onPath={setPath}
            onLaunch={() => void start()}
            onTags={() => setTagsOpen(true)}
            fieldsAt={(at) => fieldsOf(schemaAt(job.config_schema, at), job.config_schema)}
          />
        </div>
        <aside className={classes.side}>
          <WhatWillHappen job={job} tags={tags} />
          {!narrow && (
            <FieldsAtCursor schema={job.config_schema} path={path} wrong={new Set(found.problems.map((problem) => problem.path))} />
          )}
          <div className={classes.more}>
            {found.missing.length > 0 && (
              <Button onClick={() => setDraft((now) => ({ ...now, text: withPaths(now.text, found.missing) }))}>
                Add missing fields
              </Button>
            )}
            <Button onClick={() => setDraft((now) => ({ ...now, text: toYaml(job.default_config) }))}>Start from defaults</Button>
          </div>
        </aside>
      </div>
      {found.refusal && <Notice tone="fail">{found.refusal}</Notice>}
      {launch.isError && <Notice tone="fail">{messageOf(launch.error)}</Notice>}
      <LaunchBar
        job={job}
        problems={found.problems}
        tagIssues={found.tagIssues}
        tags={tags}
        readOnly={readOnly}
        launching={launch.isPending}
        onLaunch={() => void start()}
      />
      <TagsDialog opened={tagsOpen} job={job} overrides={draft.tags} onClose={() => setTagsOpen(false)} onApply={(next) => setDraft((now) => ({ ...now, tags: next }))} />
    </>
  );
}

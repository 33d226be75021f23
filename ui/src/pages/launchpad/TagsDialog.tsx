import { Button, Modal } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { validate } from '../../api/actions';
import { messageOf } from '../../api/client';
import type { Job } from '../../api/types';
import { DialogHead } from '../../components/DialogHead';
import { Notice } from '../../components/Notice';
import { useDebounced } from '../../lib/useDebounced';
import { count } from '../../lib/words';
import { AddTag } from './AddTag';
import { changes, tagRows, withTag } from './tagDraft';
import { TagRowView } from './TagRowView';
import { WhatWillHappen } from './WhatWillHappen';
import classes from './TagsDialog.module.css';

interface TagsDialogProps {
  opened: boolean;
  job: Job;
  overrides: Record<string, string>;
  onClose: () => void;
  onApply: (overrides: Record<string, string>) => void;
}

export function TagsDialog({ opened, onClose, ...rest }: TagsDialogProps) {
  return (
    <Modal opened={opened} onClose={onClose} size={720} returnFocus>
      {opened && <TagsForm {...rest} onClose={onClose} />}
    </Modal>
  );
}

function TagsForm({ job, overrides, onClose, onApply }: Omit<TagsDialogProps, 'opened'>) {
  const [draft, setDraft] = useState(overrides);
  const tags = { ...job.tags, ...draft };
  const judged = useTagIssues(job, tags);
  const changed = changes(overrides, draft);
  const apply = () => {
    onApply(draft);
    onClose();
  };
  const set = (key: string, value: string | null) => setDraft((now) => withTag(now, key, value));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (judged.issues.length === 0) apply();
      }}
    >
      <DialogHead title="Tags for this run" about={job.name} onClose={onClose} />
      <div className={classes.rows}>
        <div className={classes.head}>
          <span>Key</span>
          <span>Definition</span>
          <span>This run</span>
          <span />
        </div>
        {tagRows(job.tags, draft).map((row) => (
          <TagRowView
            key={row.key}
            row={row}
            refusal={judged.issues.find((issue) => issue.key === row.key)?.message ?? null}
            onSet={(value) => set(row.key, value)}
          />
        ))}
        <AddTag taken={new Set(Object.keys(tags))} onAdd={set} />
      </div>
      {judged.refusal && <Notice tone="fail">{judged.refusal}</Notice>}
      <div className={classes.outlook}>
        <WhatWillHappen job={job} tags={tags} />
      </div>
      <footer className={classes.foot}>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="filled" disabled={changed === 0 || judged.issues.length > 0}>
          {changed ? `Apply ${count(changed, 'change')}` : 'No change'}
        </Button>
      </footer>
    </form>
  );
}

/** The server's word on the tags as they stand. */
function useTagIssues(job: Job, tags: Record<string, string>) {
  const asked = useDebounced(JSON.stringify(tags), 200);
  const query = useQuery({
    queryKey: ['locations', 'tag-validation', job.location, job.name, asked],
    queryFn: () => validate(job.location, job.name, job.default_config, JSON.parse(asked) as Record<string, string>),
    gcTime: 30_000,
    placeholderData: (before) => before,
  });
  return { issues: query.data?.tag_issues ?? [], refusal: query.isError ? messageOf(query.error) : null };
}

import { Button } from '@mantine/core';
import type { JobSummary, Validation } from '../../api/types';
import { Glyph } from '../../components/Glyph';
import { count, listing } from '../../lib/words';
import { useOutlook } from './WhatWillHappen';
import type { Problem } from './yamlPlaces';
import classes from './LaunchBar.module.css';

interface LaunchBarProps {
  job: JobSummary;
  problems: Problem[];
  tagIssues: Validation['tag_issues'];
  tags: Record<string, string>;
  readOnly: boolean;
  launching: boolean;
  onLaunch: () => void;
}

/** What is wrong, and the button that says what it will do. */
export function LaunchBar({ job, problems, tagIssues, tags, readOnly, launching, onLaunch }: LaunchBarProps) {
  const { consequence } = useOutlook(job, tags);
  const amount = problems.length + tagIssues.length;
  const why = readOnly ? 'This server is read-only' : amount ? `Fix ${amount === 1 ? 'it' : 'them'} to launch` : '';
  return (
    <footer className={classes.bar}>
      {amount > 0 && (
        <>
          <span className="fail strong">
            <Glyph name="cross" tone="fail" /> {count(amount, 'problem')}
          </span>
          <span className="dim-2">{where(problems, tagIssues)}</span>
        </>
      )}
      <span className={classes.why}>{why}</span>
      <Button variant="filled" disabled={why !== ''} loading={launching} onClick={onLaunch}>
        {consequence ? `Launch, ${consequence}` : 'Launch'}
      </Button>
    </footer>
  );
}

function where(problems: Problem[], tagIssues: Validation['tag_issues']): string {
  const lines = [...new Set(problems.map((problem) => problem.line))].map(String);
  const parts = [
    lines.length ? `${lines.length === 1 ? 'line' : 'lines'} ${listing(lines)}` : '',
    tagIssues.length ? `${tagIssues.length === 1 ? 'tag' : 'tags'} ${listing(tagIssues.map((issue) => issue.key))}` : '',
  ];
  return parts.filter(Boolean).join(', ');
}

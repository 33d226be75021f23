import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { validate } from '../../api/actions';
import { messageOf } from '../../api/client';
import { useDebounced } from '../../lib/useDebounced';
import { parseYaml, type Problem } from './yamlPlaces';

const QUIET = 250;

/** What is wrong with the config and the tags: faults of the YAML at once, the rest by the server that will judge it. */
export function useProblems(location: string, job: string, text: string, tags: Record<string, string>) {
  const parsed = useMemo(() => parseYaml(text), [text]);
  const asked = useDebounced(JSON.stringify({ config: parsed.value, tags }), QUIET);
  const current = asked === JSON.stringify({ config: parsed.value, tags });
  const query = useQuery({
    queryKey: ['locations', 'validation', location, job, asked],
    queryFn: () => {
      const { config, tags: asTags } = JSON.parse(asked) as { config: unknown; tags: Record<string, string> };
      return validate(location, job, config, asTags);
    },
    enabled: parsed.faults.length === 0,
    gcTime: 30_000,
  });
  const issues = parsed.faults.length ? [] : (query.data?.issues ?? []);
  const problems: Problem[] = [
    ...parsed.faults,
    ...issues.map(({ path, message }) => told(path, message, parsed.find(path))),
  ];
  return {
    config: parsed.value,
    missing: issues.map(({ path }) => path).filter((path) => path && parsed.find(path).missing),
    problems: problems.sort((a, b) => a.line - b.line),
    tagIssues: query.data?.tag_issues ?? [],
    /** The server has judged exactly what is on screen. */
    judged: parsed.faults.length === 0 && current && query.isSuccess,
    refusal: query.isError ? messageOf(query.error) : null,
  };
}

/** Names the field: what is not written yet in full, what is written by its own name. */
function told(path: string, message: string, { line, missing }: { line: number; missing: string }): Problem {
  const name = missing || (path.split('.').at(-1) ?? '');
  const joint = /^(is|takes|has|needs) /.test(message) ? ' ' : ': ';
  return { path, line, message: name ? `${name}${joint}${message}` : message };
}

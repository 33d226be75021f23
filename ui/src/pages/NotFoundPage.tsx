import { Button } from '@mantine/core';
import { Link, useLocation } from 'react-router';
import { EmptyState } from '../components/EmptyState';

export function NotFoundPage() {
  const { pathname } = useLocation();
  return (
    <EmptyState title="Nothing is at this address" action={<Button component={Link} to="/runs">All runs</Button>}>
      No page is called <span className="mono">{pathname}</span>.
    </EmptyState>
  );
}

import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { useReload } from '../../api/actions';
import { messageOf } from '../../api/client';
import { useInstance, useLocations } from '../../api/queries';
import type { CodeLocation } from '../../api/types';
import { EmptyState } from '../../components/EmptyState';
import { Loaded } from '../../components/Loaded';
import { Notice } from '../../components/Notice';
import { DeploymentHead } from './DeploymentHead';
import { LocationRow } from './LocationRow';
import classes from './Locations.module.css';

export function LocationsPage() {
  const reload = useReload();
  const readOnly = useInstance().data?.read_only ?? false;
  return (
    <>
      <DeploymentHead name="Code locations" />
      {reload.isError && <Notice tone="fail">{messageOf(reload.error)}</Notice>}
      <Loaded query={useLocations()}>
        {(locations) =>
          locations.length ? (
            <LocationsTable
              locations={locations}
              reload={(location) =>
                !readOnly && (
                  <Button
                    size="compact-xs"
                    loading={reload.isPending && reload.variables === location.name}
                    onClick={() => reload.mutate(location.name)}
                  >
                    Reload
                  </Button>
                )
              }
            />
          ) : (
            <EmptyState title="No code location">
              A workspace file names where the code is; each entry becomes a code location with a process of its own.
            </EmptyState>
          )
        }
      </Loaded>
    </>
  );
}

interface LocationsTableProps {
  locations: CodeLocation[];
  reload: (location: CodeLocation) => ReactNode;
}

function LocationsTable({ locations, reload }: LocationsTableProps) {
  return (
    <table className="table">
      <colgroup>
        <col className={classes.state} />
        <col className={classes.name} />
        <col className="wide" />
        <col className={`${classes.jobs} minor`} />
        <col className={`${classes.start} minor`} />
        <col className={`${classes.updated} minor`} />
        <col className={classes.act} />
      </colgroup>
      <thead>
        <tr>
          <th>State</th>
          <th>Location</th>
          <th className="wide">Code</th>
          <th className="minor">Jobs</th>
          <th className="minor">Workers start by</th>
          <th className="num minor">Loaded</th>
          <th />
        </tr>
      </thead>
      {locations.map((location) => (
        <LocationRow key={location.name} location={location} action={reload(location)} />
      ))}
    </table>
  );
}

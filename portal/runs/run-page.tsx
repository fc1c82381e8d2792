import { Alert, Anchor, Breadcrumbs, Group, Skeleton, Stack, Tabs, Text, Title } from '@mantine/core'
import type { RunView } from '@postern/protocol/api/runs.ts'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useEffect } from 'react'
import { FaultNote } from '../parts/fault-note.tsx'
import { inPortalWords } from '../parts/portal-words.ts'
import { StatusMark } from '../parts/status-mark.tsx'
import { useOpenInView } from '../parts/use-open-in-view.ts'
import { CopyFacts } from './copy-facts.tsx'
import { NodeShares } from './node-shares.tsx'
import { RunActions } from './run-actions.tsx'
import { RunFault } from './run-fault.tsx'
import { RunFigures } from './run-figures.tsx'
import classes from './run-page.module.css'
import { RUN_TABS, type RunSearch } from './run-search.ts'
import { TaskTable } from './task-table.tsx'
import { TimeBreakdown } from './time-breakdown.tsx'
import { useRun } from './use-run.ts'
import { VerificationView } from './verification-view.tsx'

const route = getRouteApi('/runs/$run')

export function RunPage() {
  const { run: id } = route.useParams()
  const run = useRun(id)
  useTitle(run.data)
  return (
    <Stack gap="md">
      <Breadcrumbs>
        <Anchor component={Link} to="/runs" size="sm">
          Runs
        </Anchor>
        <Text size="sm">{id}</Text>
      </Breadcrumbs>
      {run.error && <FaultNote cause={run.error} />}
      {run.isPending && <Skeleton h={240} role="status" aria-label="Reading the run" />}
      {run.data && (
        <>
          <Group justify="space-between" align="flex-start" gap="sm">
            <Group gap="md" align="baseline">
              <Title order={1} style={{ overflowWrap: 'anywhere' }}>
                {run.data.name}
              </Title>
              <StatusMark status={run.data.status} />
            </Group>
            <RunActions run={run.data} />
          </Group>
          <WhyNot run={run.data} />
          <RunFigures run={run.data} at={run.dataUpdatedAt} />
          <TimeBreakdown times={run.data.times} />
          <Parts run={run.data} />
        </>
      )}
    </Stack>
  )
}

/** An id says nothing in a tab of the browser. After the shell has set the address there. */
function useTitle(run: RunView | undefined): void {
  const title = run && `${run.status} · ${run.name} · Postern`
  useEffect(() => {
    if (title !== undefined) document.title = title
  }, [title])
}

/** Why it failed, or what holds it up. */
function WhyNot({ run }: { readonly run: RunView }) {
  return (
    <>
      {run.fault && <RunFault run={run} fault={run.fault} />}
      {run.hint !== null && (
        <Alert variant="light" color="blue" role="status" px="sm" py={6}>
          <Text span size="sm" fw={600}>
            {run.status === 'running' || run.status === 'queued' ? 'What holds it up' : 'What took the time'}:
          </Text>{' '}
          {inPortalWords(run.hint)}
        </Alert>
      )}
    </>
  )
}

/** What stands below, one at a time; which one is in the address. */
function Parts({ run }: { readonly run: RunView }) {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const row = useOpenInView<HTMLDivElement>()
  const change = (part: RunSearch) => void navigate({ search: { ...search, ...part }, replace: true })
  return (
    <Tabs
      value={search.tab ?? 'tasks'}
      keepMounted={false}
      onChange={(value) => {
        const tab = RUN_TABS.find((one) => one === value)
        if (tab) change({ tab })
      }}
    >
      <Tabs.List mb="sm" className={classes['tabs']} ref={row}>
        <Tabs.Tab value="tasks">Tasks ({run.tasks.length})</Tabs.Tab>
        <Tabs.Tab value="nodes">Nodes ({run.nodes.length})</Tabs.Tab>
        <Tabs.Tab value="verification">Verification ({verificationWord(run)})</Tabs.Tab>
        <Tabs.Tab value="copy">Options</Tabs.Tab>
        <Tabs.Tab value="notes">Notes ({run.notes.length})</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="tasks">
        <TaskTable run={run} search={search} />
      </Tabs.Panel>
      <Tabs.Panel value="nodes">
        <NodeShares run={run} />
      </Tabs.Panel>
      <Tabs.Panel value="verification">
        <VerificationView run={run} />
      </Tabs.Panel>
      <Tabs.Panel value="copy">
        <CopyFacts run={run} />
      </Tabs.Panel>
      <Tabs.Panel value="notes">
        <Notes notes={run.notes} />
      </Tabs.Panel>
    </Tabs>
  )
}

/** Said where everybody sees it: a run can succeed without. */
const verificationWord = ({ verification: { method, status } }: RunView) => (method === 'none' ? 'none' : status)

function Notes({ notes }: { readonly notes: readonly string[] }) {
  if (notes.length === 0) return <Text c="dimmed">Nothing was noted: what the planner decides, and why, comes here.</Text>
  return (
    <Stack gap={6} component="ul" m={0} pl="md">
      {[...new Set(notes)].map((note) => (
        <Text key={note} size="sm" component="li">
          {inPortalWords(note)}
        </Text>
      ))}
    </Stack>
  )
}

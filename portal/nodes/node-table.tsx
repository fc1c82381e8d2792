import { Anchor, Text } from '@mantine/core'
import type { GatewayView, NodeView } from '@postern/protocol/api/gateways.ts'
import { Link } from '@tanstack/react-router'
import { memo } from 'react'
import classes from '../parts/live-table.module.css'
import { type LiveColumn, type LiveRow, LiveTable } from '../parts/live-table.tsx'
import { MEASURES, measuresOf } from '../parts/measures.tsx'
import type { Measured } from '../parts/recent-figures.ts'
import { StatusMark } from '../parts/status-mark.tsx'
import { useKeptFigures, useRecentFigures } from '../parts/use-recent-figures.ts'
import { useRights } from '../sign-in/use-rights.ts'
import { JobLimit } from './job-limit.tsx'
import { NodeFilters } from './node-filters.tsx'
import { matchingNodes, type NodeSearch, nextSort, readSort, type SortName } from './node-list.ts'
import { NodeMenu } from './node-menu.tsx'
import { useNodeOrder } from './use-node-order.ts'

/** Fewer are seen at a glance. */
const MANY = 10
const COLUMNS = [
  { name: 'version', title: 'Version', width: 66 },
  ...MEASURES,
  { name: 'credentials', title: 'Credentials', width: 96 },
] as const satisfies readonly LiveColumn[]

interface NodeTableProps {
  readonly gateway: GatewayView
  /** When the figures came. */
  readonly at: number
  readonly search: NodeSearch
  readonly onSearch: (search: NodeSearch) => void
}

/** The Gateway page's heart: what each node is, does and can still do, each second. */
export function NodeTable({ gateway, at, search, onSearch }: NodeTableProps) {
  const recent = useRecentFigures(gateway.nodes.map(measured), at, useKeptFigures(gateway.name))
  const nodes = useNodeOrder(matchingNodes(gateway.nodes, search), search.sort, at)
  const mayChange = useRights().may('nodes:write', `gateway/${gateway.name}`)
  if (gateway.nodes.length === 0)
    return <Text c="dimmed">No node has joined yet. “Add a node” shows the line that makes a machine beside your data one.</Text>
  const sorted = search.sort && readSort(search.sort)
  const sorting = (name: SortName) =>
    ({
      sorted: sorted?.name === name ? (sorted.falling ? 'descending' : 'ascending') : undefined,
      onSort: () => onSearch({ ...search, sort: nextSort(search.sort, name) }),
    }) as const
  const rowOf = (node: NodeView): LiveRow => {
    return { id: node.id, why: node.statusReasons, ...partsOf(node, mayChange), cells: cellsOf(node, recent(node.id), mayChange) }
  }
  return (
    <>
      {(gateway.nodes.length > MANY || search.find !== undefined || search.status !== undefined) && (
        <NodeFilters search={search} shown={nodes.length} all={gateway.nodes.length} change={onSearch} />
      )}
      {nodes.length === 0 ? (
        <Text c="dimmed">No node is like that.</Text>
      ) : (
        <LiveTable
          label="Nodes"
          of={{ title: 'Name', ...sorting('name') }}
          status={sorting('status')}
          columns={COLUMNS.map((column) => ({ ...column, ...sorting(column.name) }))}
          rows={nodes.map(rowOf)}
          hasActions={mayChange}
        />
      )}
    </>
  )
}

const measured = (node: NodeView): Measured => ({ ...node, live: node.status !== 'offline' })

const partsOf = (node: NodeView, mayChange: boolean) => ({
  head: <NodeName gateway={node.gateway} name={node.name} role={node.role} isPrimary={node.isPrimary} />,
  status: <Status status={node.status} />,
  actions: mayChange && <NodeMenu gateway={node.gateway} name={node.name} serves={node.enabled && node.status !== 'draining'} />,
})

const cellsOf = (node: NodeView, recent: Parameters<typeof measuresOf>[1], mayChange: boolean): LiveRow['cells'] => ({
  version: node.version,
  ...measuresOf(
    measured(node),
    recent,
    <JobLimit
      gateway={node.gateway}
      name={node.name}
      running={node.runningJobs}
      limit={node.jobLimit}
      reason={node.jobLimitReason}
      mayChange={mayChange}
    />,
  ),
  credentials: <Credentials gateway={node.gateway} name={node.name} status={node.credentialStatus} />,
})

/** Drawn anew only when it changes: the figures beside it do each second. */
const Status = memo(StatusMark)

interface NodeNameProps {
  readonly gateway: string
  readonly name: string
  readonly role: NodeView['role']
  readonly isPrimary: boolean
}

const NodeName = memo(function NodeName({ gateway, name, role, isPrimary }: NodeNameProps) {
  return (
    <div>
      <Anchor
        size="sm"
        fw={500}
        renderRoot={(props) => <Link to="/gateways/$gateway/nodes/$node" params={{ gateway, node: name }} {...props} />}
      >
        {name}
      </Anchor>
      <div className={classes['under']}>
        {role}
        {isPrimary && ', primary'}
      </div>
    </div>
  )
})

/** What it lacks stands on its page. */
const Credentials = memo(function Credentials(props: { readonly gateway: string; readonly name: string; readonly status: string }) {
  const { gateway, name, status } = props
  if (!status.startsWith('behind') && status !== 'missing') return status
  return (
    <Anchor
      size="sm"
      renderRoot={(root) => <Link to="/gateways/$gateway/nodes/$node" params={{ gateway, node: name }} hash="credentials" {...root} />}
    >
      {status}
    </Anchor>
  )
})

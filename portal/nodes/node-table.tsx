import { Anchor, Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import type { GatewayView, NodeView } from '@postern/protocol/api/gateways.ts'
import { Link } from '@tanstack/react-router'
import { memo } from 'react'
import { StatusMark } from '../parts/status-mark.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { FIGURE_TITLES, type FigureName, figuresOf } from './node-figures.tsx'
import { NodeMenu } from './node-menu.tsx'
import classes from './node-table.module.css'
import { NO_FIGURES, type RecentFigures, useRecentFigures } from './recent-figures.ts'

const FIGURES = Object.entries(FIGURE_TITLES) as readonly (readonly [FigureName, string])[]

/** Below it the columns do not fit beside the navigation. */
const NARROW = '(max-width: 76em)'
/** Columns that stay where they are whatever the figures: nothing moves without a reason. The name has the rest. */
const WIDTHS: Readonly<Record<FigureName | 'status' | 'version' | 'credentials' | 'actions', number>> = {
  status: 98,
  version: 66,
  memory: 118,
  cpu: 100,
  network: 154,
  jobs: 108,
  queries: 118,
  credentials: 96,
  actions: 40,
}

interface NodeRowProps {
  readonly node: NodeView
  readonly recent: RecentFigures
  readonly mayChange: boolean
}

/** The Gateway page's heart: what each node is, does and can still do, each second. `at`: when the figures came. */
export function NodeTable({ gateway, at }: { readonly gateway: GatewayView; readonly at: number }) {
  const recent = useRecentFigures(gateway.nodes, at)
  const narrow = useMediaQuery(NARROW, false, { getInitialValueInEffect: false })
  const mayChange = useRights().may('nodes:write', `gateway/${gateway.name}`)
  if (gateway.nodes.length === 0)
    return <Text c="dimmed">No node has joined yet. “Add a node” shows the line that makes a machine beside your data one.</Text>
  const rows = gateway.nodes.map((node) => ({ node, recent: recent.get(node.id) ?? NO_FIGURES, mayChange }))
  if (narrow)
    return (
      <ul className={classes['cards']} aria-label="Nodes">
        {rows.map((row) => (
          <NodeCard key={row.node.id} {...row} />
        ))}
      </ul>
    )
  return (
    <table className={classes['table']}>
      <thead>
        <tr>
          <th>Name</th>
          <th style={{ width: WIDTHS.status }}>Status</th>
          <th style={{ width: WIDTHS.version }}>Version</th>
          {FIGURES.map(([name, title]) => (
            <th key={name} className={classes['right']} style={{ width: WIDTHS[name] }}>
              {title}
            </th>
          ))}
          <th style={{ width: WIDTHS.credentials }}>Credentials</th>
          <th style={{ width: WIDTHS.actions }} aria-label="Actions" />
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <NodeRow key={row.node.id} {...row} />
        ))}
      </tbody>
    </table>
  )
}

function NodeRow({ node, recent, mayChange }: NodeRowProps) {
  const figures = figuresOf(node, recent, mayChange)
  return (
    <tr>
      <td className={classes['name']}>
        <NodeName gateway={node.gateway} name={node.name} role={node.role} isPrimary={node.isPrimary} />
      </td>
      <td>
        <Status status={node.status} reasons={node.statusReasons} />
      </td>
      <td>{node.version}</td>
      {FIGURES.map(([name]) => (
        <td key={name}>{figures[name]}</td>
      ))}
      <td>
        <Credentials gateway={node.gateway} name={node.name} status={node.credentialStatus} />
      </td>
      <td>{mayChange && <Actions node={node} />}</td>
    </tr>
  )
}

/** The same on a phone, where ten columns would be read through a keyhole. */
function NodeCard({ node, recent, mayChange }: NodeRowProps) {
  const figures = figuresOf(node, recent, mayChange)
  return (
    <li className={classes['card']}>
      <div className={classes['head']}>
        <NodeName gateway={node.gateway} name={node.name} role={node.role} isPrimary={node.isPrimary} />
        <div className={classes['figure']}>
          <Status status={node.status} reasons={node.statusReasons} />
          {mayChange && <Actions node={node} />}
        </div>
      </div>
      <dl className={classes['values']}>
        {FIGURES.map(([name, title]) => (
          <div key={name}>
            <dt>{title}</dt>
            <dd>{figures[name]}</dd>
          </div>
        ))}
        <div>
          <dt>Credentials</dt>
          <dd>
            <Credentials gateway={node.gateway} name={node.name} status={node.credentialStatus} />
          </dd>
        </div>
        <div>
          <dt>Version</dt>
          <dd>{node.version}</dd>
        </div>
      </dl>
    </li>
  )
}

/** Drawn anew only when it changes: the figures beside it do each second. */
const Status = memo(StatusMark)

const Actions = ({ node }: { readonly node: NodeView }) => (
  <NodeMenu gateway={node.gateway} name={node.name} serves={node.enabled && node.status !== 'draining'} />
)

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

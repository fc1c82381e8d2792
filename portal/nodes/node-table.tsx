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

interface NodeRowProps {
  readonly node: NodeView
  readonly recent: RecentFigures
  readonly mayChange: boolean
}

/** The Gateway page's heart: what each node is, does and can still do, each second. `at`: when the figures came. */
export function NodeTable({ gateway, at }: { readonly gateway: GatewayView; readonly at: number }) {
  const recent = useRecentFigures(gateway.nodes, at)
  const narrow = useMediaQuery('(max-width: 60em)', false, { getInitialValueInEffect: false })
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
          <th>Status</th>
          <th>Version</th>
          {FIGURES.map(([name, title]) => (
            <th key={name} className={classes['right']}>
              {title}
            </th>
          ))}
          <th>Credentials</th>
          <th aria-label="Actions" />
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
        <StatusMark status={node.status} reasons={node.statusReasons} />
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

/** The same on a phone, where eleven columns would be read through a keyhole. */
function NodeCard({ node, recent, mayChange }: NodeRowProps) {
  const figures = figuresOf(node, recent, mayChange)
  return (
    <li className={classes['card']}>
      <div className={classes['head']}>
        <NodeName gateway={node.gateway} name={node.name} role={node.role} isPrimary={node.isPrimary} />
        <div className={classes['figure']}>
          <StatusMark status={node.status} reasons={node.statusReasons} />
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

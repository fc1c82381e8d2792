import { Tooltip } from '@mantine/core'
import type { AuditOutcome } from '@postern/protocol/api/audit.ts'
import type { GatewayStatus, NodeStatus } from '@postern/protocol/api/gateways.ts'
import type { AttemptView, RunStatus, TaskStatus, VerificationReport } from '@postern/protocol/api/runs.ts'
import type { ReactNode } from 'react'
import type { z } from 'zod'
import classes from './status-mark.module.css'

type Shape = 'disc' | 'triangle' | 'square' | 'ring' | 'bar'
type Tone = 'teal' | 'yellow' | 'red' | 'gray' | 'blue'

/** Of accounts and tokens. */
type AccountStatus = 'active' | 'new' | 'expired'

export type Status =
  | AccountStatus
  | AuditOutcome
  | NodeStatus
  | GatewayStatus
  | RunStatus
  | TaskStatus
  | AttemptStatus
  | VerificationReport['status']
  | 'same'
  | 'differs'
type AttemptStatus = z.infer<typeof AttemptView>['status']

/** By shape, colour and word: who does not see the one sees another. */
const LOOKS = {
  online: ['disc', 'teal'],
  limited: ['triangle', 'yellow'],
  offline: ['square', 'red'],
  inactive: ['square', 'yellow'],
  draining: ['bar', 'blue'],
  upgrading: ['bar', 'blue'],
  disabled: ['ring', 'gray'],
  'needs-registration': ['ring', 'gray'],
  queued: ['ring', 'blue'],
  waiting: ['ring', 'gray'],
  ready: ['ring', 'blue'],
  dispatched: ['bar', 'blue'],
  running: ['bar', 'blue'],
  succeeded: ['disc', 'teal'],
  failed: ['square', 'red'],
  cancelled: ['ring', 'gray'],
  lost: ['triangle', 'yellow'],
  returned: ['triangle', 'yellow'],
  pending: ['ring', 'gray'],
  skipped: ['ring', 'gray'],
  passed: ['disc', 'teal'],
  same: ['disc', 'teal'],
  differs: ['square', 'red'],
  active: ['disc', 'teal'],
  new: ['ring', 'blue'],
  expired: ['ring', 'gray'],
  done: ['disc', 'teal'],
  refused: ['triangle', 'yellow'],
} as const satisfies Record<Status, readonly [Shape, Tone]>

const SHAPES: Record<Shape, ReactNode> = {
  disc: <circle cx="6" cy="6" r="5" />,
  triangle: <path d="M6 .8 11.6 11H.4z" />,
  square: <rect x="1" y="1" width="10" height="10" rx="1" />,
  ring: <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" strokeWidth="2" />,
  bar: <rect x="1" y="4" width="10" height="4" rx="1" />,
}

export function StatusMark({ status, reasons = [] }: { readonly status: Status; readonly reasons?: readonly string[] }) {
  const [shape, tone] = LOOKS[status]
  const mark = (
    // Lists draw dozens of these in each frame while one scrolls: plain elements.
    <span className={classes['mark']} tabIndex={reasons.length > 0 ? 0 : undefined}>
      <svg
        viewBox="0 0 12 12"
        width="11"
        height="11"
        aria-hidden="true"
        style={{ color: `var(--mantine-color-${tone}-filled)` }}
        fill="currentColor"
      >
        {SHAPES[shape]}
      </svg>
      <span>{status.replace('-', ' ')}</span>
    </span>
  )
  return reasons.length === 0 ? mark : <Tooltip label={reasons.join('. ')}>{mark}</Tooltip>
}

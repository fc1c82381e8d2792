import type { AttemptView } from '@postern/protocol/api/runs.ts'
import type { z } from 'zod'

/**
 *   dispatched ── started ──► running ──► succeeded, failed
 *        │                       │
 *        └──── lost, returned, cancelled: from both; all three are final
 */
export type AttemptStatus = z.infer<typeof AttemptView>['status']

export const OPEN_ATTEMPTS = ['dispatched', 'running'] as const satisfies readonly AttemptStatus[]

export const isOpen = (status: AttemptStatus): boolean => (OPEN_ATTEMPTS as readonly AttemptStatus[]).includes(status)

import type { RunView } from '@postern/protocol/api/runs.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { FaultLinkRow } from '../parts/fault-link-row.tsx'
import { FaultNote } from '../parts/fault-note.tsx'

interface RunFaultProps {
  readonly run: RunView
  /** Of the run, or of an attempt at one of its tasks. */
  readonly fault: NonNullable<RunView['fault']>
}

/** Why a copy failed, and the pages on which that is mended. Which of its two stores it is about, its message says. */
export function RunFault({ run: { id, gateway, copy }, fault }: RunFaultProps) {
  const stores = [...new Set([copy.source, copy.sink])]
  return (
    <FaultNote cause={Fault.fromJson({ ...fault, details: {} })}>
      <FaultLinkRow code={fault.code} place={{ run: id, gateway, stores }} />
    </FaultNote>
  )
}

import { Alert, Code, Text } from '@mantine/core'
import { Fault } from '@postern/protocol/fault.ts'
import type { ReactNode } from 'react'
import { inPortalWords } from './portal-words.ts'
import { WithCode } from './with-code.tsx'

interface FaultNoteProps {
  readonly cause: unknown
  /** What still stands on the page was so then (Unix milliseconds). */
  readonly since?: number | undefined
  /** Where it is mended. */
  readonly children?: ReactNode
}

/** What went wrong, and what to do about it: never only the one. */
export function FaultNote({ cause, since, children }: FaultNoteProps) {
  const fault = Fault.from(cause)
  return (
    <Alert color="red" variant="light" role="alert" title={fault.message}>
      <Text size="sm">
        <WithCode text={inPortalWords(fault.remedy)} />
      </Text>
      {children}
      {since !== undefined && <Text size="sm">What stands below was so at {new Date(since).toLocaleTimeString()}.</Text>}
      <Code mt={4}>{fault.code}</Code>
    </Alert>
  )
}

import { Alert, Code, Text } from '@mantine/core'
import { Fault } from '@postern/protocol/fault.ts'

/** What went wrong, and what to do about it: never only the one. */
export function FaultNote({ cause }: { readonly cause: unknown }) {
  const fault = Fault.from(cause)
  return (
    <Alert color="red" variant="light" role="alert" title={fault.message}>
      <Text size="sm">{fault.remedy}</Text>
      <Code mt={4}>{fault.code}</Code>
    </Alert>
  )
}

import { Anchor, Code, Stack, Text, Title } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { CopyLine } from '../parts/copy-line.tsx'

/** Where to look further: at what it did, from here; at the machine itself, on the machine only. */
export function NodeDiagnostics({ name }: { readonly name: string }) {
  return (
    <Stack gap="xs" component="section" aria-label="Diagnostics" maw={720}>
      <Title order={2}>Diagnostics</Title>
      <Text size="sm">
        <Anchor size="sm" renderRoot={(props) => <Link to="/queries" search={{ node: name }} {...props} />}>
          Queries that {name} answered
        </Anchor>
      </Text>
      <Text size="sm">
        On its machine, the node&apos;s own page tells of its connections, stores, channel and logs, and is reached from nowhere else:{' '}
        <Code>http://127.0.0.1:8051</Code>, or the port of its <Code>--console-port</Code>. The same in a terminal:
      </Text>
      <CopyLine text="npx postern node status" />
    </Stack>
  )
}

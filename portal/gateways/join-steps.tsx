import { Button, Code, CopyButton, Group, Stack, Text } from '@mantine/core'

/** How a machine becomes a node: one line to copy, and the same by hand. */
export function JoinSteps({ joinKey = 'KEY' }: { readonly joinKey?: string }) {
  const join = `npx postern node join --url ${location.origin} --key ${joinKey}`
  const line = `${join} && npx postern node start`
  return (
    <Stack gap="xs">
      <Text size="sm">On a machine beside the data, with Node.js 24 or later and Postern:</Text>
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <Code block flex={1} style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
          {line}
        </Code>
        <CopyButton value={line}>
          {({ copied, copy }) => (
            <Button variant="light" onClick={copy}>
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
      </Group>
      <Text size="sm" c="dimmed">
        By hand: <Code>postern node join</Code> registers the machine and writes its data folder; <Code>postern node start</Code> runs the
        node in the foreground until Ctrl-C. It opens no port to the outside: it dials this service.
      </Text>
    </Stack>
  )
}

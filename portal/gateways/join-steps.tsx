import { Code, List, Stack, Text } from '@mantine/core'
import { CopyLine } from '../parts/copy-line.tsx'

/** How a machine becomes a node: one line to copy, and the same by hand. */
export function JoinSteps({ joinKey = 'KEY' }: { readonly joinKey?: string }) {
  const join = `npx postern node join --url ${location.origin} --key ${joinKey}`
  return (
    <Stack gap="xs">
      <Text size="sm">On a machine beside the data, with Node.js 24 or later and Postern:</Text>
      <CopyLine text={`${join} && npx postern node start`} />
      <Text size="sm">By hand, in steps:</Text>
      <List type="ordered" size="sm" spacing={4}>
        <List.Item>
          <Code>postern node join</Code> with <Code>--url</Code> and <Code>--key</Code> registers the machine; <Code>--name</Code> gives it
          another name than the machine&apos;s, <Code>--data</Code> another folder.
        </List.Item>
        <List.Item>
          <Code>postern node start</Code> runs it in the foreground until Ctrl-C; under systemd or in a container it runs for good.
        </List.Item>
        <List.Item>It opens no port to the outside: it dials this service. A few seconds later it stands in the table.</List.Item>
      </List>
    </Stack>
  )
}

import { Code, Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import { CopyLine } from '../parts/copy-line.tsx'

interface JoinStepsProps {
  readonly joinKey?: string
  /** What comes of the line: it stands where who copied it still looks. */
  readonly children?: ReactNode
}

/** How a machine becomes a node: one line to copy, and the same by hand. */
export function JoinSteps({ joinKey = 'KEY', children }: JoinStepsProps) {
  const join = `npx postern node join --url ${location.origin} --key ${joinKey}`
  return (
    <Stack gap="sm">
      <Stack gap={4} component="section" aria-label="In one line">
        <Title order={3}>In one line</Title>
        <Text size="sm">On a machine beside the data, in a folder with Postern:</Text>
        <CopyLine text={`${join} && npx postern node start`} />
      </Stack>
      {children}
      <Stack gap={6} component="section" aria-label="By hand">
        <Title order={3}>By hand</Title>
        <Step line="npm ci">1. In a clone of Postern&apos;s repository, once. Node.js 20 or later is all that it needs.</Step>
        <Step line={join}>
          2. Registers the machine, by the machine&apos;s name or by <Code>--name NAME</Code>. What it keeps is in <Code>--data DIR</Code>.
        </Step>
        <Step line="npx postern node start">
          3. Runs the node until Ctrl-C, with the same <Code>--data</Code>; under systemd or in a container it runs for good.
        </Step>
        <Text size="sm" c="dimmed">
          It opens no port to the outside: it dials this service, through the proxy in <Code>HTTPS_PROXY</Code> where there is one. Other
          nodes of the gateway reach it at port 8050. A second node on the same machine needs <Code>--name</Code>, <Code>--data</Code>, and{' '}
          <Code>--channel-port 0 --console-port 0</Code> at its start.
        </Text>
      </Stack>
    </Stack>
  )
}

function Step({ line, children }: { readonly line: string; readonly children: ReactNode }) {
  return (
    <div>
      <Text size="sm" mb={2}>
        {children}
      </Text>
      <CopyLine text={line} />
    </div>
  )
}

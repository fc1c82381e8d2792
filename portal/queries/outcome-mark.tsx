import { Group, Text } from '@mantine/core'
import type { ReactNode } from 'react'

export type Outcome = 'running' | 'succeeded' | 'failed' | 'cancelled'

/** By shape, colour and word, as a status is. */
const LOOKS: Record<Outcome, readonly [colour: string, shape: ReactNode]> = {
  running: ['blue', <path key="shape" d="M2 1l9 5-9 5z" />],
  succeeded: ['teal', <circle key="shape" cx="6" cy="6" r="5" />],
  failed: ['red', <rect key="shape" x="1" y="1" width="10" height="10" rx="1" />],
  cancelled: ['gray', <circle key="shape" cx="6" cy="6" r="4" fill="none" stroke="currentColor" strokeWidth="2" />],
}

export function OutcomeMark({ outcome, word = outcome }: { readonly outcome: Outcome; readonly word?: string }) {
  const [colour, shape] = LOOKS[outcome]
  return (
    <Group gap={6} wrap="nowrap" w="fit-content" align="baseline">
      <svg
        viewBox="0 0 12 12"
        width="11"
        height="11"
        aria-hidden="true"
        fill="currentColor"
        style={{ color: `var(--mantine-color-${colour}-filled)`, flex: 'none' }}
      >
        {shape}
      </svg>
      <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
        {word}
      </Text>
    </Group>
  )
}

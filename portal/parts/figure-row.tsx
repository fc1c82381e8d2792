import { Group, SimpleGrid, Text } from '@mantine/core'
import type { ReactNode } from 'react'

/** The few figures that a page is opened for, above the rest. */
export function Figures({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <SimpleGrid cols={{ base: 2, xs: 3, lg: 6 }} spacing="md" verticalSpacing="sm" component="dl" m={0} aria-label={label}>
      {children}
    </SimpleGrid>
  )
}

interface FigureProps {
  readonly name: string
  readonly text: ReactNode
  readonly line?: ReactNode
  /** What the figure is to be seen against. */
  readonly children: ReactNode
}

export function Figure({ name, text, line, children }: FigureProps) {
  return (
    <div>
      <Text size="xs" c="dimmed" component="dt">
        {name}
      </Text>
      <Group component="dd" m={0} gap={8} wrap="nowrap">
        <Text fw={600} component="div" style={{ whiteSpace: 'nowrap' }}>
          {text}
        </Text>
        {line}
      </Group>
      <Text size="xs" c="dimmed" component="dd" m={0} truncate>
        {children}
      </Text>
    </div>
  )
}

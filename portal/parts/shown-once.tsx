import { Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { CopyLine } from './copy-line.tsx'

/** A secret that is in no other answer: what is not copied now is lost. */
export function ShownOnce({ secret, children }: { readonly secret: string; readonly children: ReactNode }) {
  return (
    <Stack gap="sm">
      <Text size="sm">{children}</Text>
      <CopyLine text={secret} />
      <Text size="sm" c="dimmed">
        It is shown now and never again: the service keeps only what it can check it by.
      </Text>
    </Stack>
  )
}

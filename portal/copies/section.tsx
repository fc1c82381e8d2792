import { Paper, Stack, Title } from '@mantine/core'
import { type ReactNode, useId } from 'react'
import type { CopyForm, CopyKinds } from './copy-form.ts'
import type { CopyProblems } from './copy-problems.ts'
import type { CopyParts } from './use-copy-parts.ts'

/** What each group of the form is given. */
export interface SectionProps {
  readonly form: CopyForm
  readonly set: (part: Partial<CopyForm>) => void
  readonly kinds: CopyKinds
  readonly parts: CopyParts
  readonly columns: readonly string[]
  /** Only once it was tried to start it. */
  readonly problems: CopyProblems
}

export function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  const id = useId()
  return (
    <Paper withBorder p="md" component="section" aria-labelledby={id}>
      <Stack gap="sm">
        <Title order={2} id={id}>
          {title}
        </Title>
        {children}
      </Stack>
    </Paper>
  )
}

/** Under the label's input: what it means stands where it is read after the label. */
export const UNDER: ('label' | 'input' | 'description' | 'error')[] = ['label', 'input', 'description', 'error']

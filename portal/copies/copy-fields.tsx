import { Group, Stack, Text } from '@mantine/core'
import type { RunView } from '@postern/protocol/api/runs.ts'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { api, queryClient } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { ReasonedButton } from '../parts/reasoned-button.tsx'
import { RUN_KEYS } from '../runs/run-keys.ts'
import { useRights } from '../sign-in/use-rights.ts'
import { changed } from './copy-change.ts'
import { type CopyForm, requestsOf } from './copy-form.ts'
import { type CopyProblems, isSound, problemsOf } from './copy-problems.ts'
import { HowSection } from './how-section.tsx'
import { LimitsSection } from './limits-section.tsx'
import { type CopyParts, useColumns } from './use-copy-parts.ts'
import { WhatSection } from './what-section.tsx'
import { WhereSection } from './where-section.tsx'

const NO_PROBLEMS: CopyProblems = { fields: {}, read: {}, write: {} }

/** The form, and the copies that it starts. */
export function CopyFields({ parts, begin }: { readonly parts: CopyParts; readonly begin: CopyForm }) {
  const [form, setForm] = useState(begin)
  const [tried, setTried] = useState(false)
  const place = useRef<HTMLFormElement>(null)
  const [started, setStarted] = useState<readonly string[]>([])
  // What runs is taken out of the form: trying again does not start it twice.
  const start = useStart((from) => {
    setStarted((before) => [...before, from])
    setForm((now) => changed(now, { from: now.from.filter((one) => one !== from) }, parts.kindsOf))
  })
  const because = useRights().mayAnywhere('runs:write') ? undefined : 'You may look at runs, and not start them'
  const kinds = parts.kindsOf(form)
  const problems = problemsOf(form, kinds)
  const columns = useColumns(form, kinds)
  const set = (part: Partial<CopyForm>) => setForm((now) => changed(now, part, parts.kindsOf))
  const section = { form, set, kinds, parts, columns, problems: tried ? problems : NO_PROBLEMS }
  return (
    <form
      ref={place}
      noValidate
      aria-label="Copy"
      onSubmit={(event) => {
        event.preventDefault()
        setTried(true)
        if (isSound(problems)) start.mutate(requestsOf(form, kinds))
        else requestAnimationFrame(() => place.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus())
      }}
    >
      <Stack gap="md">
        <WhatSection {...section} />
        <WhereSection {...section} />
        <HowSection {...section} />
        <LimitsSection {...section} />
        {start.error && <FaultNote cause={start.error} />}
        {start.error && started.length > 0 && (
          <Text size="sm" role="status">
            {started.join(', ')} {started.length === 1 ? 'runs' : 'run'} already; what is still in the form does not.
          </Text>
        )}
        <Group justify="space-between">
          <Text size="sm" c={tried && !isSound(problems) ? 'red' : 'dimmed'} role="status">
            {tried && !isSound(problems) ? 'Something is missing or cannot be: it is marked above.' : summaryOf(form)}
          </Text>
          <ReasonedButton type="submit" size="sm" because={because} loading={start.isPending}>
            {form.takes === 'names' && form.from.length > 1 ? `Run ${form.from.length} copies now` : 'Run now'}
          </ReasonedButton>
        </Group>
      </Stack>
    </form>
  )
}

function summaryOf({ source, sink, from, takes, to }: CopyForm): string {
  if (source === '' || sink === '') return 'It starts at once; you follow it live.'
  const what = takes === 'query' ? "a query's result" : from.length > 1 ? `${from.length} of them` : (from[0] ?? '…')
  return `${what} of ${source} into ${to === '' ? '…' : to} of ${sink}`
}

type Requests = ReturnType<typeof requestsOf>

/** One after the other, in the order of the form: when one is refused, those before it run and the rest is not begun. */
function useStart(onStarted: (from: string) => void) {
  const navigate = useNavigate()
  return useMutation({
    mutationFn: async (requests: Requests): Promise<readonly RunView[]> => {
      const runs: RunView[] = []
      for (const request of requests) {
        runs.push(await api.copy(request))
        if (requests.length > 1 && runs.length < requests.length) onStarted(request.from)
      }
      return runs
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: RUN_KEYS.all }),
    onSuccess: async ([run, ...more]) => {
      if (run && more.length === 0) await navigate({ to: '/runs/$run', params: { run: run.id } })
      else await navigate({ to: '/runs' })
    },
  })
}

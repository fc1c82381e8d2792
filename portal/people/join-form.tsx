import { Autocomplete, Group, Stack } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { FaultNote } from '../parts/fault-note.tsx'
import { ReasonedButton } from '../parts/reasoned-button.tsx'

interface JoinFormProps {
  readonly label: string
  readonly placeholder: string
  readonly offered: readonly string[]
  /** What is lacking in what was typed; undefined where it is whole. */
  readonly lacking: (typed: string) => string | undefined
  readonly because: string | undefined
  readonly join: (typed: string) => Promise<void>
}

/** One who joins, or a group that is joined: the same from both ends. */
export function JoinForm({ label, placeholder, offered, lacking, because, join }: JoinFormProps) {
  const [typed, setTyped] = useState('')
  const put = useMutation({ mutationFn: () => join(typed), onSuccess: () => setTyped('') })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (lacking(typed) === undefined) put.mutate()
      }}
    >
      <Stack gap="xs">
        <Group gap="sm">
          <Autocomplete
            aria-label={label}
            placeholder={placeholder}
            data={[...offered]}
            limit={50}
            value={typed}
            onChange={setTyped}
            disabled={because !== undefined}
            w={{ base: '100%', xs: 280 }}
          />
          <ReasonedButton type="submit" h={36} variant="light" because={because ?? lacking(typed)} loading={put.isPending}>
            Put in
          </ReasonedButton>
        </Group>
        {put.error && <FaultNote cause={put.error} />}
      </Stack>
    </form>
  )
}

import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { FaultNote } from './fault-note.tsx'

interface DeleteByNameProps {
  readonly opened: boolean
  readonly close: () => void
  /** "person ann" */
  readonly title: string
  /** What has to be typed. */
  readonly name: string
  /** What goes with it, and what stays. */
  readonly children: ReactNode
  readonly remove: () => Promise<unknown>
  /** Where it is not deleted: "Replace". */
  readonly verb?: string
}

/** Confirmed by the name: what is typed cannot be the wrong row. */
export function DeleteByName({ opened, close, title, verb = 'Delete', ...rest }: DeleteByNameProps) {
  return (
    <Modal opened={opened} onClose={close} title={`${verb} ${title}`}>
      <Confirm close={close} verb={verb} {...rest} />
    </Modal>
  )
}

function Confirm({ name, children, remove, close, verb = 'Delete' }: Omit<DeleteByNameProps, 'opened' | 'title'>) {
  const [typed, setTyped] = useState('')
  const act = useMutation({ mutationFn: remove, onSuccess: close })
  const same = typed.trim() === name
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (same) act.mutate()
      }}
    >
      <Stack gap="sm">
        <Text size="sm">{children}</Text>
        <TextInput
          label={`Type ${name} to ${verb.toLowerCase()} it`}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          autoComplete="off"
          data-autofocus
        />
        {act.error && <FaultNote cause={act.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Keep it
          </Button>
          <Button type="submit" color="red" disabled={!same} loading={act.isPending}>
            {verb}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

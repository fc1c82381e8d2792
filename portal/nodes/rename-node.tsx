import { Button, Group, Modal, Stack, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, KEYS, queryClient } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'

interface RenameNodeProps {
  readonly gateway: string
  readonly name: string
  readonly close: () => void
  readonly onRenamed?: ((name: string) => void) | undefined
}

/** The node learns its new name with its next beat. */
export function RenameNode({ gateway, name, close, onRenamed }: RenameNodeProps) {
  const [typed, setTyped] = useState(name)
  const wanted = typed.trim()
  const rename = useMutation({
    mutationFn: () => api.nodes.change(gateway, name, { name: wanted }),
    onSuccess: async () => {
      close()
      onRenamed?.(wanted)
      await queryClient.invalidateQueries({ queryKey: KEYS.gateway(gateway) })
    },
  })
  return (
    <Modal opened onClose={close} title={`Rename node ${name}`}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          rename.mutate()
        }}
      >
        <Stack gap="sm">
          <TextInput
            label="New name"
            description="Letters, digits, “.”, “_” and “-”. Nothing on its machine has to be changed."
            required
            maxLength={63}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            data-autofocus
          />
          {rename.error && <FaultNote cause={rename.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Keep it
            </Button>
            <Button type="submit" disabled={wanted === '' || wanted === name} loading={rename.isPending}>
              Rename
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

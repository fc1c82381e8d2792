import { ActionIcon, Button, Group, Menu, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import type { NodeView } from '@postern/protocol/api/gateways.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, KEYS, queryClient } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'

export function NodeMenu({ node }: { readonly node: NodeView }) {
  const [deleting, { open, close }] = useDisclosure(false)
  const reread = () => queryClient.invalidateQueries({ queryKey: KEYS.gateway(node.gateway) })
  const act = useMutation({
    mutationFn: (action: 'drain' | 'enable' | 'disable') => api.nodes.act(node.gateway, node.name, action),
    onSuccess: reread,
    onError: (cause) => notifications.show({ color: 'red', title: Fault.from(cause).message, message: Fault.from(cause).remedy }),
  })
  const serves = node.enabled && node.status !== 'draining'
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={`Actions on ${node.name}`} loading={act.isPending}>
            <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" fill="currentColor">
              <circle cx="3" cy="8" r="1.5" />
              <circle cx="8" cy="8" r="1.5" />
              <circle cx="13" cy="8" r="1.5" />
            </svg>
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {serves && <Menu.Item onClick={() => act.mutate('drain')}>Drain: finish what runs, take nothing new</Menu.Item>}
          {serves && <Menu.Item onClick={() => act.mutate('disable')}>Disable: take nothing new</Menu.Item>}
          {!serves && <Menu.Item onClick={() => act.mutate('enable')}>Enable</Menu.Item>}
          <Menu.Divider />
          <Menu.Item color="red" onClick={open}>
            Delete…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={deleting} onClose={close} title={`Delete node ${node.name}`}>
        <DeleteNode node={node} done={close} />
      </Modal>
    </>
  )
}

/** Confirmed by the node's name: what is typed cannot be the wrong row. */
function DeleteNode({ node, done }: { readonly node: NodeView; readonly done: () => void }) {
  const [typed, setTyped] = useState('')
  const remove = useMutation({
    mutationFn: () => api.nodes.delete(node.gateway, node.name),
    onSuccess: async () => {
      done()
      await queryClient.invalidateQueries({ queryKey: KEYS.gateway(node.gateway) })
    },
  })
  return (
    <Stack gap="sm">
      <Text size="sm">
        The node stops serving at once, and what runs on it is ended. Its machine can join again with one of the gateway&apos;s keys.
      </Text>
      <TextInput
        label={`Type ${node.name} to delete it`}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        data-autofocus
      />
      {remove.error && <FaultNote cause={remove.error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={done}>
          Keep it
        </Button>
        <Button color="red" disabled={typed !== node.name} loading={remove.isPending} onClick={() => remove.mutate()}>
          Delete
        </Button>
      </Group>
    </Stack>
  )
}

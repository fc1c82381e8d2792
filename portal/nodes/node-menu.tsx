import { ActionIcon, Button, Menu } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { memo, useState } from 'react'
import { api, KEYS, queryClient } from '../app/client.ts'
import { DeleteByName } from '../parts/delete-by-name.tsx'
import { notifyFault } from '../parts/notify-fault.ts'
import { RenameNode } from './rename-node.tsx'

interface NodeMenuProps {
  readonly gateway: string
  readonly name: string
  /** Neither disabled nor draining. */
  readonly serves: boolean
  /** With a word, where there is room for one. */
  readonly wide?: boolean
  /** Told of the new name, or of none when it is deleted: the page of a node goes along. */
  readonly onMoved?: ((name: string | undefined) => void) | undefined
}

/** What can be done to a node. */
export const NodeMenu = memo(function NodeMenu({ gateway, name, serves, wide = false, onMoved }: NodeMenuProps) {
  const [asking, setAsking] = useState<'rename' | 'delete'>()
  const close = () => setAsking(undefined)
  const reread = () => queryClient.invalidateQueries({ queryKey: KEYS.gateway(gateway) })
  const act = useMutation({
    mutationFn: (action: 'drain' | 'enable' | 'disable') => api.nodes.act(gateway, name, action),
    onSuccess: reread,
    onError: notifyFault,
  })
  const remove = async () => {
    await api.nodes.delete(gateway, name)
    onMoved?.(undefined)
    await reread()
  }
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          {wide ? (
            <Button variant="default" loading={act.isPending}>
              Actions
            </Button>
          ) : (
            <ActionIcon variant="subtle" color="gray" aria-label={`Actions on ${name}`} loading={act.isPending}>
              <Dots />
            </ActionIcon>
          )}
        </Menu.Target>
        <Menu.Dropdown>
          {serves && <Menu.Item onClick={() => act.mutate('drain')}>Drain: finish what runs, take nothing new</Menu.Item>}
          {serves && <Menu.Item onClick={() => act.mutate('disable')}>Disable: take nothing new</Menu.Item>}
          {!serves && <Menu.Item onClick={() => act.mutate('enable')}>Enable</Menu.Item>}
          <Menu.Item onClick={() => setAsking('rename')}>Rename…</Menu.Item>
          <Menu.Divider />
          <Menu.Item color="red" onClick={() => setAsking('delete')}>
            Delete…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {asking === 'rename' && <RenameNode gateway={gateway} name={name} close={close} onRenamed={onMoved} />}
      {asking === 'delete' && (
        <DeleteByName opened close={close} title={`node ${name}`} name={name} remove={remove}>
          The node stops serving at once, and what runs on it is ended. Its machine can join again with one of the gateway&apos;s keys.
        </DeleteByName>
      )}
    </>
  )
})

const Dots = () => (
  <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" fill="currentColor">
    <circle cx="3" cy="8" r="1.5" />
    <circle cx="8" cy="8" r="1.5" />
    <circle cx="13" cy="8" r="1.5" />
  </svg>
)

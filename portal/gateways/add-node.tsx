import { Anchor, Modal, PasswordInput, Stack, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useRights } from '../sign-in/use-rights.ts'
import { JoinSteps } from './join-steps.tsx'
import { NewNodes } from './new-nodes.tsx'

interface AddNodeProps {
  readonly gateway: string
  readonly opened: boolean
  readonly close: () => void
}

export function AddNode({ gateway, opened, close }: AddNodeProps) {
  return (
    <Modal opened={opened} onClose={close} title={`Add a node to ${gateway}`} size="lg">
      <WithKey gateway={gateway} close={close} />
    </Modal>
  )
}

/** The key is put into the line here, and goes nowhere from here. */
function WithKey({ gateway, close }: Omit<AddNodeProps, 'opened'>) {
  const [key, setKey] = useState('')
  const { may } = useRights()
  const typed = key.trim()
  return (
    <Stack gap="sm">
      <PasswordInput
        label="Authentication key"
        description="One of the gateway's two. It is put into the line below and sent nowhere."
        value={key}
        onChange={(event) => setKey(event.currentTarget.value)}
        autoComplete="off"
        data-autofocus
      />
      <Text size="sm">
        The keys were shown when the gateway was made.{' '}
        {may('gateways:keys', `gateway/${gateway}`) ? (
          <>
            A key that is lost is made anew on the page{' '}
            <Anchor size="sm" renderRoot={(props) => <Link to="/gateways/$gateway/keys" params={{ gateway }} {...props} onClick={close} />}>
              Keys
            </Anchor>
            .
          </>
        ) : (
          'Ask an administrator of the gateway for one.'
        )}
      </Text>
      <JoinSteps joinKey={typed === '' ? 'KEY' : typed}>
        <NewNodes gateway={gateway} />
      </JoinSteps>
    </Stack>
  )
}

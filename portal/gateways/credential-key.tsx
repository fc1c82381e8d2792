import { Alert, Code, Stack, Text, Title } from '@mantine/core'
import type { GatewayView, KeyRotated } from '@postern/protocol/api/gateways.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { useState } from 'react'
import { api, KEYS, queryClient } from '../app/client.ts'
import { DeleteByName } from '../parts/delete-by-name.tsx'
import { Facts } from '../parts/facts.tsx'
import { ReasonedButton } from '../parts/reasoned-button.tsx'

export interface KeySectionProps {
  readonly gateway: Pick<GatewayView, 'id' | 'name' | 'publicKey' | 'fingerprint' | 'recoveryKeyAt'>
  /** Why nothing can be done; undefined: it can. */
  readonly because: string | undefined
}

interface Rotation extends KeyRotated {
  /** A node that held the old key made the new one. */
  readonly proven: boolean
}

/** What the credentials of stores are sealed to. The private half is on the nodes only. */
export function CredentialKey({ gateway, because }: KeySectionProps) {
  const { name, publicKey, fingerprint } = gateway
  const [asking, setAsking] = useState(false)
  const [rotation, setRotation] = useState<Rotation>()
  const rotate = async () => {
    setRotation(await rotated(gateway))
    await queryClient.invalidateQueries({ queryKey: KEYS.gateway(name) })
  }
  const reason = because ?? (publicKey === null ? 'There is no key yet: the first node that joins makes it.' : undefined)
  return (
    <Stack gap="xs" component="section" aria-label="Key of the credentials">
      <Title order={2}>Key of the credentials</Title>
      <Text size="sm" c="dimmed" maw={720}>
        Credentials of stores are sealed to it before they leave the browser or the command line. Only the nodes can open them. The same
        fingerprint stands on each node: compare them before you trust a new one.
      </Text>
      <Facts
        facts={[
          ['Fingerprint', fingerprint ?? 'no node yet'],
          ['Public key', publicKey ?? 'no node yet'],
        ]}
      />
      {rotation && <Outcome rotation={rotation} />}
      <div>
        <ReasonedButton variant="default" because={reason} onClick={() => setAsking(true)}>
          Rotate…
        </ReasonedButton>
      </div>
      <DeleteByName opened={asking} verb="Rotate" close={() => setAsking(false)} title={`the key of ${name}`} name={name} remove={rotate}>
        A node makes a new key and seals every credential to it; the other nodes fetch it from that one. Nothing is interrupted. Machines
        that seal credentials with the command line ask for <b>postern gateway trust {name}</b> afterwards.
      </DeleteByName>
    </Stack>
  )
}

async function rotated({ id, name, publicKey }: KeySectionProps['gateway']): Promise<Rotation> {
  if (publicKey === null) throw new Fault('GATEWAY_KEY_MISSING', { at: name })
  const { rotationChallenge } = await import('@postern/client/rotation.ts')
  const challenge = await rotationChallenge(id, publicKey)
  const answer = await api.gateways.rotateKey(name, challenge.sealed)
  const proven = answer.proof !== undefined && (await challenge.isProof(answer.publicKey, answer.proof))
  return { ...answer, proven }
}

function Outcome({ rotation }: { readonly rotation: Rotation }) {
  const { fingerprint, proven, node, resealed, unreadable } = rotation
  return (
    <Alert
      variant="light"
      color={proven ? 'teal' : 'red'}
      role="status"
      title={
        proven ? `${node} has made a new key` : 'Nobody has shown that he held the old key: compare the fingerprint with that on a node'
      }
    >
      <Text size="sm">
        {resealed} {resealed === 1 ? 'credential is' : 'credentials are'} sealed to it: <Code>{fingerprint}</Code>
        {proven && '. The node has shown that it held the old key.'}
      </Text>
      {unreadable.length > 0 && (
        <Text size="sm">These could not be opened before and cannot now; set them again: {unreadable.join(', ')}</Text>
      )}
    </Alert>
  )
}

import { Stack, Text, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { api, KEYS, queryClient } from '../app/client.ts'
import { CopyLine } from '../parts/copy-line.tsx'
import { DeleteByName } from '../parts/delete-by-name.tsx'
import { moment } from '../parts/figures.ts'
import { ReasonedButton } from '../parts/reasoned-button.tsx'
import type { KeySectionProps } from './credential-key.tsx'

/** What brings the key of the credentials back when every node is gone. */
export function RecoveryKey({ gateway, because }: KeySectionProps) {
  const { name, recoveryKeyAt } = gateway
  const [asking, { open, close }] = useDisclosure(false)
  const forget = async () => {
    await api.gateways.forgetRecoveryKey(name)
    await queryClient.invalidateQueries({ queryKey: KEYS.gateway(name) })
  }
  return (
    <Stack gap="xs" component="section" aria-label="Recovery key" maw={720}>
      <Title order={2}>Recovery key</Title>
      <Text size="sm">
        {recoveryKeyAt
          ? `There is one, made on ${moment(recoveryKeyAt)}. With it, a gateway whose nodes are all gone is restored.`
          : 'There is none. If every node is lost, every credential must be given again.'}
      </Text>
      <Text size="sm" c="dimmed">
        It is made on the machine of a node, typed back once, and kept by a person; it never passes this service.
        {recoveryKeyAt && ' A new one takes the place of the old.'}
      </Text>
      <CopyLine text="npx postern node recovery-key" />
      {recoveryKeyAt && (
        <div>
          <ReasonedButton variant="default" color="red" because={because} onClick={open}>
            Forget…
          </ReasonedButton>
        </div>
      )}
      <DeleteByName opened={asking} verb="Forget" close={close} title={`the recovery key of ${name}`} name={name} remove={forget}>
        It opens nothing any more. If the gateway has no node either, its key is gone with it, and every credential must be given again.
      </DeleteByName>
    </Stack>
  )
}

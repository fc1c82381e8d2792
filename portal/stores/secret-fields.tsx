import { Alert, Anchor, Code, Group, PasswordInput, SegmentedControl, Stack, Text, TextInput } from '@mantine/core'
import type { GatewayView } from '@postern/protocol/api/gateways.ts'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { SettingField, TypedSecret, TypedSecrets } from './store-form.ts'

export interface SecretFieldsProps {
  readonly fields: readonly SettingField[]
  readonly secrets: TypedSecrets
  readonly problems: Readonly<Record<string, string>>
  readonly gateway: GatewayView | undefined
  /** Names of those that a store has already. */
  readonly kept: readonly string[]
  readonly onChange: (name: string, secret: TypedSecret) => void
}

/** Secrets leave the browser sealed to the gateway's key: only its nodes can open them. */
export function SecretFields({ fields, secrets, problems, gateway, kept, onChange }: SecretFieldsProps) {
  if (fields.length === 0) return null
  return (
    <Stack gap="sm">
      {gateway && <SealNote gateway={gateway} />}
      {fields.map((field) => (
        <SecretInput
          key={field.name}
          field={field}
          secret={secrets[field.name] ?? { as: 'typed', text: '' }}
          problem={problems[field.name]}
          isKept={kept.includes(field.name)}
          onChange={(secret) => onChange(field.name, secret)}
        />
      ))}
    </Stack>
  )
}

function SealNote({ gateway }: { readonly gateway: GatewayView }) {
  const { publicKey, name } = gateway
  const fingerprint = useQuery({
    queryKey: ['fingerprint', publicKey],
    queryFn: async () => (await import('@postern/client/seal.ts')).fingerprintOf(publicKey ?? ''),
    enabled: publicKey !== null && isSecureContext,
    staleTime: Number.POSITIVE_INFINITY,
  })
  if (!isSecureContext)
    return (
      <Alert color="yellow" variant="light" title="Secrets cannot be sealed here">
        Browsers seal only on pages that came by https, or from their own machine. Open the portal by https, or use a reference with{' '}
        <Code>postern store create</Code>.
      </Alert>
    )
  if (publicKey === null)
    return (
      <Alert color="yellow" variant="light" title={`Gateway ${name} has no key yet`}>
        Its first node makes the key that secrets are sealed to.{' '}
        <Anchor size="sm" renderRoot={(props) => <Link to="/gateways/$gateway" params={{ gateway: name }} {...props} />}>
          Add a node
        </Anchor>{' '}
        and start it; this page notices.
      </Alert>
    )
  return (
    <Text size="sm" c="dimmed">
      Sealed in this browser to the key of gateway {name}: the service never sees them. The key has the fingerprint below; its nodes say the
      same.
      <Code block mt={4} style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
        {fingerprint.data ?? '…'}
      </Code>
    </Text>
  )
}

interface SecretInputProps {
  readonly field: SettingField
  readonly secret: TypedSecret
  readonly problem: string | undefined
  readonly isKept: boolean
  readonly onChange: (secret: TypedSecret) => void
}

/** Beside the input, and not beside its label or what is wrong with it. */
const BELOW_LABEL_PX = 26

const WAYS = [
  { value: 'typed', label: 'Typed here' },
  { value: 'reference', label: 'Read by the node' },
]

function SecretInput({ field: { name, schema, required }, secret, problem, isKept, onChange }: SecretInputProps) {
  const title = schema.title ?? name
  const input = {
    label: title,
    withAsterisk: required && !isKept,
    error: problem,
    size: 'sm',
    flex: 1,
    miw: 220,
    value: secret.text,
    onChange: (event: { readonly currentTarget: { readonly value: string } }) => onChange({ ...secret, text: event.currentTarget.value }),
  } as const
  return (
    <Group gap="sm" align="flex-start">
      {secret.as === 'typed' ? (
        <PasswordInput
          {...input}
          aria-invalid={problem !== undefined || undefined}
          autoComplete="new-password"
          placeholder={isKept ? 'sealed: stays as it is' : ''}
        />
      ) : (
        <TextInput
          {...input}
          autoComplete="off"
          spellCheck={false}
          placeholder="env:POSTERN_REF_NAME, file:NAME, vault:MOUNT/data/PATH#FIELD"
        />
      )}
      <SegmentedControl
        size="xs"
        mt={{ base: 0, xs: BELOW_LABEL_PX }}
        aria-label={`Where ${title} comes from`}
        data={WAYS}
        value={secret.as}
        onChange={(as) => onChange({ as: as === 'reference' ? 'reference' : 'typed', text: '' })}
      />
    </Group>
  )
}

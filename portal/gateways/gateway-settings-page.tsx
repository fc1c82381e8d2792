import { NodeSettings, SettingsPatch } from '@postern/protocol/api/gateways.ts'
import { getRouteApi } from '@tanstack/react-router'
import { api, KEYS, queryClient } from '../app/client.ts'
import { useRights } from '../sign-in/use-rights.ts'
import { type Draft, GATEWAY_GROUPS, same } from './setting-fields.ts'
import { SettingsForm } from './settings-form.tsx'
import { useGateway } from './use-gateway.ts'

const route = getRouteApi('/gateways/$gateway/settings')
const DEFAULTS = NodeSettings.parse({})

export function GatewaySettingsPage() {
  const { gateway: name } = route.useParams()
  const { may } = useRights()
  const { data } = useGateway(name)
  if (!data) return null
  const own = Object.fromEntries(
    Object.entries(data.settings).filter(([setting, value]) => !same(value, DEFAULTS[setting as keyof NodeSettings])),
  )
  const save = async (changes: Draft) => {
    await api.gateways.set(name, SettingsPatch.parse(changes))
    await queryClient.invalidateQueries({ queryKey: KEYS.gateway(name) })
  }
  return (
    <SettingsForm
      key={name}
      groups={GATEWAY_GROUPS}
      fallback={DEFAULTS}
      own={own}
      fallbackName="Default"
      because={may('gateways:write', `gateway/${name}`) ? undefined : 'You may look at the settings of this gateway, not change them.'}
      save={save}
    />
  )
}

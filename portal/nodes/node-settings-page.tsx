import { NodeSettings, NodeSettingsPatch } from '@postern/protocol/api/gateways.ts'
import { getRouteApi } from '@tanstack/react-router'
import { api, KEYS, queryClient } from '../app/client.ts'
import { type Draft, NODE_GROUPS } from '../gateways/setting-fields.ts'
import { SettingsForm } from '../gateways/settings-form.tsx'
import { useGateway } from '../gateways/use-gateway.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { useNode } from './use-node.ts'

const route = getRouteApi('/gateways/$gateway/nodes/$node/settings')

export function NodeSettingsPage() {
  const { gateway: gatewayName, node: name } = route.useParams()
  const { may } = useRights()
  const gateway = useGateway(gatewayName)
  const node = useNode(gatewayName, name)
  if (gateway.error) return <FaultNote cause={gateway.error} />
  if (!gateway.data || !node.data) return null
  const save = async (changes: Draft) => {
    await api.nodes.change(gatewayName, name, { settings: NodeSettingsPatch.parse(changes) })
    await queryClient.invalidateQueries({ queryKey: KEYS.gateway(gatewayName) })
  }
  return (
    <SettingsForm
      key={`${gatewayName}/${name}`}
      groups={NODE_GROUPS}
      fallback={NodeSettings.parse(gateway.data.settings)}
      own={node.data.settings}
      fallbackName="As the gateway"
      because={may('nodes:write', `gateway/${gatewayName}`) ? undefined : 'You may look at the settings of this node, not change them.'}
      save={save}
    />
  )
}

import type { StoreView } from '@postern/protocol/api/stores.ts'
import { useNavigate } from '@tanstack/react-router'
import { api, KEYS, queryClient } from '../app/client.ts'
import { DeleteByName } from '../parts/delete-by-name.tsx'

export interface DeleteStoreProps {
  readonly store: StoreView
  readonly opened: boolean
  readonly close: () => void
}

export function DeleteStore({ store: { name }, opened, close }: DeleteStoreProps) {
  const navigate = useNavigate()
  const remove = async () => {
    await api.stores.delete(name)
    await navigate({ to: '/stores' })
    queryClient.removeQueries({ queryKey: KEYS.store(name) })
    await queryClient.invalidateQueries({ queryKey: KEYS.stores })
  }
  return (
    <DeleteByName opened={opened} close={close} title={`store ${name}`} name={name} remove={remove}>
      Its settings and its sealed credential are deleted, and who was allowed to use it is not any more. What it leads to is not touched.
    </DeleteByName>
  )
}

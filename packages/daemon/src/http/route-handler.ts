import type { Management, NodeApi } from '@tequio/api';
import type { RouteInput, RouteName, RouteResult } from '@tequio/api/http';

/** The node, with the rights of who asks. */
export type Asked = { readonly node: Management; readonly readSource: NodeApi['readSource'] };

export type Handler<Name extends RouteName> = (
  asked: Asked,
  input: RouteInput<Name>,
) => Promise<RouteResult<Name> | undefined> | Promise<void>;

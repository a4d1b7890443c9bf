// Talks to the daemon that served the page, and through WebHDFS to the DataNodes it names.

/** How long to wait for an answer that is not a transfer, in milliseconds. */
const TIMEOUT_MS = 20_000;

/** What went wrong, and what the reader can do about it. */
export class Failure extends Error {
  constructor(message, { hint = "", exception = "", status = 0 } = {}) {
    super(message);
    Object.assign(this, { hint, exception, status });
  }
}

/** Java exceptions that people meet, and the way out. */
const HINTS = {
  AccessControlException: () => `You act as “${user() || "the web's default user"}”. Choose another user (top right), or ask the owner for permission.`,
  SafeModeException: () => "The NameNode is in safe mode and changes nothing. It leaves by itself when enough blocks are reported; an administrator can run: hdfs dfsadmin -safemode leave",
  FileNotFoundException: () => "It may have been moved or deleted: go to the parent folder and reload.",
  NSQuotaExceededException: () => "Delete something below this folder, or let an administrator raise it: hdfs dfsadmin -setQuota",
  DSQuotaExceededException: () => "Free space below this folder, or let an administrator raise it: hdfs dfsadmin -setSpaceQuota",
  StandbyException: () => "This NameNode is on standby: open the page of the active one.",
  RetriableException: () => "The NameNode is still starting: try again in a moment.",
  UnsupportedOperationException: () => "This server does not have the feature.",
  FileAlreadyExistsException: () => "Choose another name, or delete the old one first.",
  AlreadyBeingCreatedException: () => "Somebody writes this file now: wait until it is closed, or run: hdfs debug recoverLease",
  SnapshotException: () => "An administrator allows snapshots with: hdfs dfsadmin -allowSnapshot PATH",
};

const storage = {
  get: (key) => { try { return localStorage.getItem(key) ?? ""; } catch { return ""; } },
  set: (key, value) => { try { localStorage.setItem(key, value); } catch { /* A browser without storage forgets it. */ } },
};

/** The name that WebHDFS is told, kept in this browser. */
export function user() {
  return storage.get("tusk.user");
}

export function setUser(name) {
  storage.set("tusk.user", name.trim());
}

/** One request; an answer that is not a success becomes a [`Failure`]. */
async function request(url, options = {}) {
  const signal = options.signal ?? AbortSignal.timeout(options.timeout ?? TIMEOUT_MS);
  let response;
  try {
    response = await fetch(url, { cache: "no-store", ...options, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw unreachable(new URL(url, location.href), error);
  }
  if (!response.ok) throw await refused(response);
  return response;
}

function unreachable(url, error) {
  const here = url.origin === location.origin;
  const slow = error.name === "TimeoutError";
  const hint = here
    ? "Check that the daemon runs and that this machine reaches it; the page tries again by itself."
    : `The data is on the DataNode ${url.host}. Check that it runs and that this machine finds it under that name. If it joined after this page was opened, reload the page.`;
  return new Failure(slow ? `${url.host} did not answer in time` : `${url.host} does not answer`, { hint });
}

async function refused(response) {
  const text = await response.text();
  let remote;
  try {
    remote = JSON.parse(text).RemoteException;
  } catch {
    remote = undefined;
  }
  if (remote) {
    const hint = HINTS[remote.exception]?.() ?? "";
    const message = String(remote.message ?? remote.exception).split("\n")[0];
    return new Failure(message, { hint, exception: remote.exception, status: response.status });
  }
  const missing = response.status === 404;
  return new Failure(`${new URL(response.url).pathname} answered ${response.status} ${response.statusText}`.trim(), {
    status: response.status,
    hint: missing ? "This daemon does not serve it." : titleOf(text),
  });
}

/** The title of a page that tells an error, or the first of other text. */
function titleOf(text) {
  const page = /^\s*</.test(text) ? new DOMParser().parseFromString(text, "text/html") : undefined;
  return (page?.title || page?.body?.textContent || text).trim().slice(0, 200);
}

/** A JSON document of this daemon. */
export async function json(url, options) {
  return (await request(url, { headers: { Accept: "application/json" }, ...options })).json();
}

/** Text of this daemon. */
export async function text(url, options) {
  return (await request(url, options)).text();
}

/** The first bean whose name fits, or undefined. */
export async function bean(query, base = "") {
  return (await json(`${base}/jmx?qry=${encodeURIComponent(query)}`)).beans[0];
}

/** A value that Hadoop prints as JSON inside of JSON. */
export function nested(value, otherwise) {
  if (typeof value !== "string" || value === "") return value ?? otherwise;
  try {
    return JSON.parse(value);
  } catch {
    return otherwise;
  }
}

/** A key of the daemon's configuration, or undefined. */
export async function setting(name) {
  try {
    const answer = await json(`/conf?name=${encodeURIComponent(name)}`);
    return (answer.property ?? answer.properties?.find((of) => of.key === name))?.value;
  } catch (error) {
    if (error instanceof Failure && error.status === 404) return undefined;
    throw error;
  }
}

let csrf;

/** The header that a server with protection against cross-site requests wants. */
async function csrfHeaders(method) {
  csrf ??= (async () => {
    if ((await setting("dfs.webhdfs.rest-csrf.enabled")) !== "true") return undefined;
    const header = (await setting("dfs.webhdfs.rest-csrf.custom-header")) ?? "X-XSRF-HEADER";
    const ignored = (await setting("dfs.webhdfs.rest-csrf.methods-to-ignore")) ?? "GET,OPTIONS,HEAD,TRACE";
    return { header, ignored: ignored.split(",").map((of) => of.trim()) };
  })().catch((error) => {
    csrf = undefined;
    throw error;
  });
  const wanted = await csrf;
  return wanted && !wanted.ignored.includes(method) ? { [wanted.header]: "tusk" } : {};
}

/** `/a b/c` as a part of an address. */
export function encodePath(path) {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** The address of an operation of WebHDFS. */
export function webhdfsUrl(path, op, parameters = {}) {
  const query = new URLSearchParams({ op, ...parameters });
  if (user()) query.set("user.name", user());
  return `/webhdfs/v1${encodePath(path)}?${query}`;
}

/** An operation that answers with JSON, or with nothing. */
export async function webhdfs(method, path, op, parameters, options = {}) {
  const headers = { Accept: "application/json", ...(await csrfHeaders(method)) };
  const response = await request(webhdfsUrl(path, op, parameters), { method, headers, ...options });
  const body = await response.text();
  return body ? JSON.parse(body) : {};
}

/** Where the data of an operation is: the address at a DataNode. */
async function dataAddress(method, path, op, parameters, signal) {
  const answer = await webhdfs(method, path, op, { ...parameters, noredirect: "true" }, { signal });
  return answer.Location;
}

/** Some bytes of a file. */
export async function read(path, offset, length, signal) {
  const parameters = { offset: String(offset), length: String(length) };
  const address = await dataAddress("GET", path, "OPEN", parameters, signal);
  return new Uint8Array(await (await request(address, { signal })).arrayBuffer());
}

/** Writes a file; `onProgress` gets the bytes that were sent. Resolves when the file is closed. */
export async function write(path, file, { overwrite = false, signal, onProgress } = {}) {
  const parameters = { overwrite: String(overwrite) };
  const address = await dataAddress("PUT", path, "CREATE", parameters, signal);
  const headers = await csrfHeaders("PUT");
  await new Promise((resolve, reject) => {
    // fetch() does not tell how much of a body was sent.
    const sending = new XMLHttpRequest();
    const abort = () => sending.abort();
    sending.open("PUT", address);
    for (const [name, value] of Object.entries(headers)) sending.setRequestHeader(name, value);
    sending.upload.onprogress = (event) => onProgress?.(event.loaded);
    sending.onload = async () => {
      if (sending.status < 300) return resolve();
      const { status, statusText } = sending;
      const response = new Response(sending.responseText, { status: Math.max(status, 200), statusText });
      Object.defineProperty(response, "url", { value: address });
      return reject(await refused(response));
    };
    sending.onerror = () => reject(unreachable(new URL(address), new Error()));
    sending.onabort = () => reject(new DOMException("cancelled", "AbortError"));
    signal?.addEventListener("abort", abort, { once: true });
    // Without a type of its own: Apache's DataNodes allow no header of this name from another origin.
    sending.send(file.slice(0, file.size, ""));
  });
}

/** Whether an error only says that the reader cancelled. */
export function isCancelled(error) {
  return error?.name === "AbortError";
}

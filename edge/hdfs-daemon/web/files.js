// Operations on files through WebHDFS: what the file browser does, without its looks.

import { Failure, setting, webhdfs } from "./api.js";

/** `a/b`, without doubled slashes. */
export function join(folder, name) {
  return folder === "/" ? `/${name}` : `${folder}/${name}`;
}

/** The folder that holds a path; the root holds itself. */
export function parent(path) {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** The last part of a path. */
export function base(path) {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Some entries of a folder after the name `startAfter`, in the NameNode's order, and how many come after them. */
export async function listBatch(path, startAfter, signal) {
  const answer = await webhdfs("GET", path, "LISTSTATUS_BATCH", startAfter ? { startafter: startAfter } : {}, { signal });
  const { partialListing, remainingEntries } = answer.DirectoryListing;
  return { entries: partialListing.FileStatuses.FileStatus, remaining: remainingEntries };
}

/** What is at a path, or undefined. */
export async function statusOrNone(path) {
  try {
    return (await webhdfs("GET", path, "GETFILESTATUS")).FileStatus;
  } catch (error) {
    if (error.exception === "FileNotFoundException") return undefined;
    throw error;
  }
}

/** Makes a folder and those above it. */
export async function makeFolder(path, permission) {
  return isDone(await webhdfs("PUT", path, "MKDIRS", permission ? { permission } : {}), `${path} was not made`);
}

/** Moves or renames. */
export async function rename(from, to) {
  return isDone(await webhdfs("PUT", from, "RENAME", { destination: to }), `${from} was not moved to ${to}`, "The target exists already, its folder is missing, or it lies below the source.");
}

/** Deletes for good, with everything below. */
export async function remove(path) {
  return isDone(await webhdfs("DELETE", path, "DELETE", { recursive: "true" }), `${path} was not deleted`, "It may be gone already: reload the folder.");
}

function isDone(answer, message, hint) {
  if (answer.boolean !== true) throw new Failure(message, { hint });
}

/** Whether deleted files go to the trash: fs.trash.interval is above 0. */
export async function hasTrash() {
  return parseFloat((await setting("fs.trash.interval")) ?? "0") > 0;
}

/**
 * Moves to the trash of the user, as `hdfs dfs -rm` does: below `.Trash/Current`, under the same path, with a number at
 * its end when something of this name is there.
 */
export async function moveToTrash(path) {
  const { Path: root } = await webhdfs("GET", path, "GETTRASHROOT");
  const trash = root.replace(/^\w+:\/\/[^/]*/, "");
  if (path === trash || path.startsWith(`${trash}/`)) {
    throw new Failure(`${path} is in the trash already`, { hint: "Delete it for good instead." });
  }
  if (path === "/" || trash.startsWith(`${path}/`)) {
    throw new Failure(`${path} contains the trash`, { hint: "Delete it for good, or what is in it piece by piece." });
  }
  const target = join(`${trash}/Current`, path.slice(1));
  await makeFolder(parent(target), "700");
  await rename(path, (await statusOrNone(target)) ? `${target}${Date.now()}` : target);
}

/** Changes mode bits (octal text). */
export function setPermission(path, permission) {
  return webhdfs("PUT", path, "SETPERMISSION", { permission });
}

/** Changes owner and group; an empty one stays. */
export function setOwner(path, owner, group) {
  return webhdfs("PUT", path, "SETOWNER", { ...(owner && { owner }), ...(group && { group }) });
}

/** Changes how many replicas a file wants. */
export async function setReplication(path, replication) {
  return isDone(await webhdfs("PUT", path, "SETREPLICATION", { replication: String(replication) }), `The replication of ${path} was not changed`, "Only files have replicas.");
}

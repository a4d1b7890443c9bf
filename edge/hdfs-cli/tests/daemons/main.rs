//! The program as an operator runs it: processes that are killed, folders that are damaged, disks that are full.

mod faults;
mod fsck;
mod kill;
mod load;
mod operators;
mod site;

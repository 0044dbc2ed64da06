// A named step of a backup, restore or swap, where the fault tests kill or stop the process. In the product build it is
// nothing. In the test build (-DREPRISE_FAULTS=ON): REPRISE_STEP_LOG=FILE appends the name of every step passed;
// REPRISE_STEP_KILL=NAME[:n] raises SIGKILL at the n-th passing (1 without n), REPRISE_STEP_STOP=NAME[:n] raises SIGSTOP.
// Names: "engine.what.before" / ".after", snake_case, listed by `grep -rho 'REPRISE_STEP("[^"]*")' src`.
#pragma once

#ifdef REPRISE_FAULTS
namespace reprise {
void pass_step(const char* name);
}
#define REPRISE_STEP(name) ::reprise::pass_step(name)
#else
#define REPRISE_STEP(name) static_cast<void>(0)
#endif

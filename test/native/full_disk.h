// A limit of the size of files stands for a full disk: the write that crosses it is short, the next one fails with
// EFBIG.
#pragma once
#include <sys/resource.h>

#include <csignal>

class FullDisk {
 public:
  explicit FullDisk(rlim_t room) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limited = before_;
    limited.rlim_cur = room;
    setrlimit(RLIMIT_FSIZE, &limited);
  }
  ~FullDisk() { end(); }
  FullDisk(const FullDisk&) = delete;

  // The limit is for all files of the process, also for that which the results are written to.
  void end() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_;
};

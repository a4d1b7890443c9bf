#compdef hdfs hadoop
# Completion of hdfs and hadoop for zsh: source <(hdfs completion zsh)
_hdfs() {
  local line name about
  local -a plain described texts directories
  local program="${(Q)words[1]/#\~/$HOME}"
  while IFS= read -r line; do
    name="${line%%$'\t'*}"
    about="${line#*$'\t'}"
    case $line in
      :files) _files ;;
      :directories) _files -/ ;;
      */) directories+=("$name") ;;
      *$'\t'*) described+=("$name"); texts+=("$name  -- $about") ;;
      *) plain+=("$name") ;;
    esac
  done < <(command "$program" completion candidates "${(Q@)words[1,CURRENT]}" 2>/dev/null)
  (( $#described )) && compadd -l -d texts -a described
  (( $#plain )) && compadd -a plain
  # More may follow a directory: no blank after it.
  (( $#directories )) && compadd -S '' -a directories
  return 0
}
if (( $+functions[compdef] )); then
  compdef _hdfs hdfs hadoop
fi
# In a folder of $fpath this file is the function itself.
if [[ ${funcstack[1]} == _hdfs ]]; then
  _hdfs "$@"
fi

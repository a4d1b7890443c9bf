# Completion of hdfs and hadoop for bash: source <(hdfs completion bash)
_hdfs_completion() {
  local line word prefix current words=() i
  # Bash cuts words at : and =; put them together again, as they were typed.
  local typed="${COMP_LINE:0:COMP_POINT}"
  for ((i = 0; i < COMP_CWORD; i++)); do
    word="${COMP_WORDS[i]}"
    if ((i > 0)) && [[ $word == [:=]* || ${COMP_WORDS[i-1]} == *[:=] ]] &&
       [[ $typed == *"${words[-1]}$word"* ]]; then
      words[-1]+="$word"
    else
      words+=("$word")
    fi
  done
  current="${COMP_WORDS[COMP_CWORD]}"
  prefix=""
  if ((COMP_CWORD > 0)) && [[ $current == [:=]* || ${COMP_WORDS[COMP_CWORD-1]} == *[:=] ]] &&
     [[ $typed == *"${words[-1]}$current" ]]; then
    prefix="${words[-1]}"
    # What bash takes for the word begins behind the last : or =.
    [[ $current == [:=]* ]] && prefix+="${current:0:1}" current="${current:1}"
    unset 'words[-1]'
  fi
  words=("${words[@]//\\/}")
  COMPREPLY=()
  local program="${words[0]/#\~/$HOME}"
  while IFS=$'\t' read -r line _; do
    case $line in
      :files) compopt -o filenames; while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current") ;;
      :directories) compopt -o filenames; while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -d -- "$current") ;;
      *)
        # More may follow a directory: no blank after it.
        [[ $line == */ ]] && compopt -o nospace
        [[ $line == -* ]] || printf -v line %q "${line#"$prefix"}"
        COMPREPLY+=("$line") ;;
    esac
  done < <(command "$program" completion candidates "${words[@]}" "$prefix${current//\\/}" 2>/dev/null)
}
complete -F _hdfs_completion hdfs hadoop
